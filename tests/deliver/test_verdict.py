"""What an attempt means: accepted, again later, or one of the ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.units import DAY_MS, HOUR_MS, SECOND_MS
from stream.deliver.plan.outcome import OUTCOMES, SUPPRESSED_BY, is_undelivered
from stream.deliver.plan.verdict import FAILURES, Answer, Verdict, fails_too_long, verdict

NOW_MS = 1_764_500_000_000
LATER_MS = NOW_MS + 100 * DAY_MS


def judged(answer: Answer, failures: int = 0, expires_ms: int | None = LATER_MS) -> Verdict:
    return verdict(answer, failures, expires_ms, NOW_MS, 0.0)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_status_of_the_200s_is_accepted(status):
    assert judged(Answer(status)) == Verdict("accepted")


@pytest.mark.parametrize("status", [100, 199, 300, 301, 307, 400, 401, 404, 409, 422, 429, 500, 503, 599])
def test_any_other_status_is_tried_again(status):
    assert judged(Answer(status, "status")) == Verdict(due_ms=NOW_MS + 5 * SECOND_MS)


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_is_tried_again_and_parked_after_the_tenth(failure):
    assert judged(Answer(failure=failure)).due_ms == NOW_MS + 5 * SECOND_MS
    assert judged(Answer(failure=failure), failures=8).due_ms == NOW_MS + 24 * HOUR_MS
    assert judged(Answer(failure=failure), failures=9) == Verdict("parked")


def test_an_answer_that_was_cut_is_no_answer_whatever_its_status():
    assert judged(Answer(200, "cut")).outcome is None


def test_a_gone_endpoint_is_disabled():
    decision = judged(Answer(410, "status"))

    assert decision.outcome == "disabled"
    assert "410" in decision.disable


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_in_full_and_holds_the_endpoint(status):
    decision = judged(Answer(status, "status", retry_after="7200"))

    assert decision.due_ms == decision.hold_until_ms == NOW_MS + 2 * HOUR_MS


def test_retry_after_of_another_status_holds_this_alert_alone():
    decision = judged(Answer(500, "status", retry_after="7200"))

    assert (decision.due_ms, decision.hold_until_ms) == (NOW_MS + 2 * HOUR_MS, 0)


def test_a_retry_after_of_a_year_holds_the_endpoint_for_a_day():
    decision = judged(Answer(429, "status", retry_after=str(365 * 86_400)), expires_ms=None)

    assert decision.due_ms == NOW_MS + 365 * DAY_MS
    assert decision.hold_until_ms == NOW_MS + DAY_MS


def test_an_attempt_that_would_come_after_the_expiry_is_none():
    expires_ms = NOW_MS + 5 * SECOND_MS

    assert judged(Answer(500, "status"), expires_ms=expires_ms) == Verdict("expired")
    assert judged(Answer(500, "status"), expires_ms=expires_ms + 1).outcome is None
    assert judged(Answer(200), expires_ms=NOW_MS - 1).outcome == "accepted"


@given(
    st.builds(
        Answer,
        st.integers(0, 599),
        st.sampled_from((None, *FAILURES)),
        retry_after=st.sampled_from(["", "60", "x"]),
    ),
    st.integers(0, 20),
    st.none() | st.integers(NOW_MS, LATER_MS),
    st.floats(0, 1),
)
def test_there_is_one_verdict_and_nothing_is_due_after_its_expiry(answer, failures, expires_ms, jitter):
    decision = verdict(answer, failures, expires_ms, NOW_MS, jitter)

    assert (decision.outcome is None) == (decision.due_ms > NOW_MS)
    assert expires_ms is None or decision.due_ms < expires_ms or decision.outcome
    assert (decision.outcome == "accepted") == answer.accepted


def test_an_endpoint_that_fails_for_five_days_is_disabled_unless_it_was_hardly_asked():
    assert fails_too_long(NOW_MS, 20, NOW_MS + 5 * DAY_MS)
    assert not fails_too_long(NOW_MS, 19, NOW_MS + 5 * DAY_MS)
    assert not fails_too_long(NOW_MS, 500, NOW_MS + 5 * DAY_MS - 1)


def test_undelivered_is_what_nobody_wanted():
    bad = {o for o in OUTCOMES if is_undelivered(o, "")} | {
        r for r in SUPPRESSED_BY if is_undelivered("suppressed", r)
    }

    assert bad == {"parked", "expired", "disabled", "suppressed", "budget", "quiet_hours"}
