"""The arm of an alert: decided once, when its episode is raised, from customer, salt and period alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.alerts.wording import alert_lines
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.policy.arms import Assignment, arm_of, assigned
from stream.core.step import on_basis, on_event, on_review
from stream.policy_file import default_policy, parse_policy
from stream.wire import encode_alert
from stream.worker.rows.row import LiveRow, StoredRow
from tests.support.builders import at, basis, erased
from tests.support.policy_ends import CODEC, short_history

EXPERIMENT = """
[experiment]
share = {share}
salt = "{salt}"
begins = "{begins}"
period = "{period}"
"""


LIVES = short_history()


def written(share=0.5, salt="s", begins="2024-01-01", period="3650d", more=""):
    return EXPERIMENT.format(share=share, salt=salt, begins=begins, period=period) + more


def alerts_of(life: list[Event], rules: Basis, until_ms: int = at(5 * 365)) -> list[Alert]:
    profile: Profile | None = None
    alerts: list[Alert] = []
    for event in [*life, None]:
        to_ms = event.time_ms if event is not None else until_ms
        while profile is not None and (due_ms := profile.next_review_ms) is not None and due_ms <= to_ms:
            step = on_review(profile, due_ms, rules)
            alerts += step.alerts
            profile = step.profile
        if event is not None:
            step = on_event(profile, event, rules)
            alerts += step.alerts
            profile = step.profile
    return alerts


def the_alerts(policy: str):
    return [alert for life in LIVES for alert in alerts_of(life, basis(policy))]


def arm(policy, customer, day, kind="churn_risk", tier="gold"):
    """The assignment of an alert that is raised on a day."""
    found = assigned(policy, customer, kind, tier, at(day))
    assert found is not None
    return found


def without_arm(alert):
    ref = default_policy()
    plain = msgspec.structs.replace(alert.data.policy, hash=ref.hash)
    assert alert.data.text is not None
    text = msgspec.structs.replace(alert.data.text, to_do=None)
    data = msgspec.structs.replace(alert.data, experiment=None, policy=plain, text=text)
    return msgspec.structs.replace(alert, data=data)


def test_without_an_experiment_no_alert_has_an_arm_and_the_policy_has_its_hash_of_before():
    assert {alert.data.experiment for alert in the_alerts("")} == {None}
    assert all(b"experiment" not in encode_alert(alert) for alert in the_alerts(""))
    assert parse_policy("[experiment]\nshare = 0").hash == default_policy().hash


def test_an_experiment_changes_nothing_of_the_alerts_but_their_arm():
    plain = the_alerts("")
    armed = the_alerts(written())

    assert len(plain) > 5
    assert [without_arm(each) for each in armed] == [without_arm(each) for each in plain]
    assert all(alert.data.experiment is not None for alert in armed)


def test_people_are_asked_to_do_nothing_about_a_customer_who_is_held_out():
    for alert in the_alerts(written(share=0.5, period="7d")):
        data = alert.data
        held_out = data.experiment is not None and data.experiment.arm == "held_out"
        if data.state in {"raised", "escalated"}:
            assert data.text is not None
            assert ("left alone" in (data.text.to_do or "")) == held_out
            assert any("left alone" in line for line in alert_lines(alert)) == held_out


def test_an_alert_names_its_arm_with_all_that_it_follows_from():
    for alert in the_alerts(written(share=0.3, salt="2026")):
        arm = arm_of(alert.subject, "default", "2026 2024-01-01", 0.3)
        assert alert.data.experiment == Assignment(arm, 0.3, "2026", "2024-01-01")


def test_a_row_keeps_the_arm_of_its_episodes():
    rules, profile = basis(written()), None
    for event in LIVES[0]:
        while profile is not None and (due_ms := profile.next_review_ms) and due_ms <= event.time_ms:
            profile = on_review(profile, due_ms, rules).profile
        profile = on_event(profile, event, rules).profile
    assert profile is not None
    again = CODEC.decode_row(b"c", LiveRow(StoredRow(profile=profile)).encode()).profile

    assert again == profile
    assert any(each.experiment for each in profile.judgement.episodes.values())


def test_all_alerts_of_an_episode_have_the_arm_with_which_it_was_raised():
    by_episode: dict[str, set] = {}
    for alert in the_alerts(written(share=0.5, period="7d")):
        by_episode.setdefault(alert.correlationid, set()).add(alert.data.experiment)

    assert {len(arms) for arms in by_episode.values()} == {1}
    assert len({each for arms in by_episode.values() for each in arms}) > 1


def test_another_salt_or_the_end_of_the_experiment_does_not_move_an_open_episode():
    life = [event for event in LIVES[0] if event.time_ms < at(140)]
    rules, others = basis(written(share=0.9)), [basis(written(share=0.9, salt="other")), basis("")]
    for other in others:
        profile: Any = None
        raised: tuple[Alert, ...] = ()
        for event in life:
            profile = on_event(profile, event, rules).profile
        while not raised:
            raised = on_review(profile, profile.next_review_ms, rules).alerts
        later = list(on_basis(profile, profile.judgement.judged_ms, other).alerts)
        while profile.next_review_ms is not None and len(later) < 1:
            later += on_review(profile, profile.next_review_ms, other).alerts

        same = [each for each in later if each.correlationid == raised[0].correlationid]
        assert same
        assert {each.data.experiment for each in same} == {raised[0].data.experiment} != {None}


def test_an_erased_customers_last_alert_keeps_its_arm():
    rules = basis(written(share=0.9))
    life = [event for event in LIVES[0] if event.time_ms < at(142)]
    alerts = alerts_of(life, rules, at(150))
    assert alerts[-1].data.state in {"raised", "escalated"}
    ended = alerts_of([*life, erased(150)], rules, at(151))[-1]

    assert ended.data.state == "retracted"
    assert ended.data.experiment is not None
    assert ended.data.experiment == alerts[-1].data.experiment


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('kinds = ["churn_risk"]', True),
        ('kinds = ["at_risk_loyal", "upgrade_opportunity"]', False),
        ('tiers = ["gold"]', True),
        ('tiers = ["platinum"]', False),
        ('kinds = ["churn_risk"]\ntiers = ["platinum"]', False),
    ],
)
def test_kinds_and_tiers_say_which_alerts_are_in_it(more, expected):
    policy = parse_policy(written(more=more))

    assert (assigned(policy, "c", "churn_risk", "gold", at(10)) is not None) == expected


def test_what_is_raised_before_the_first_day_of_the_business_is_in_no_experiment():
    policy = parse_policy(written(begins="2024-07-01") + '[business]\nzone = "America/New_York"\n')
    midnight_ms = at(182) + 4 * 3_600_000  # 1 July 00:00 in New York

    assert assigned(policy, "c", "churn_risk", "gold", midnight_ms - 1) is None
    found = assigned(policy, "c", "churn_risk", "gold", midnight_ms)
    assert found is not None
    assert found.period == "2024-07-01"


@given(st.integers(0, 4_000), st.integers(7, 400))
def test_each_period_begins_where_the_last_one_ended_and_deals_anew(day, length):
    policy = parse_policy(written(period=f"{length}d"))
    one, next_one = arm(policy, "c", day), arm(policy, "c", day + length)

    assert one.period < next_one.period
    assert one.arm == arm_of("c", "default", f"s {one.period}", 0.5)
    first = day // length * length
    assert arm(policy, "c", first) == arm(policy, "c", first + length - 0.001) == one


def test_periods_mix_customers_anew():
    policy = parse_policy(written(period="90d"))
    names = [f"c{n}" for n in range(2_000)]
    first, second = ({name for name in names if arm(policy, name, day).arm == "held_out"} for day in (0, 90))

    assert abs(len(first & second) - 500) < 4 * (2_000 * 3 / 16) ** 0.5


TEXT = "is not allowed; allowed: a text of 1 to"
FAULTS = [
    ('share = 1\nsalt = "s"', "share: 1 is not allowed; allowed: a number from 0 to 0.9"),
    ("share = 0.1", "share: salt is missing"),
    ('share = 0.1\nsalt = "s"', "share: begins is missing"),
    ('begins = "2026-02-30"', "begins: '2026-02-30' is no day; allowed: a day such as 2026-12-01"),
    ('begins = "soon"', f"begins: 'soon' {TEXT} 10 characters (a day"),
    ('salt = "a b"', f"salt: 'a b' {TEXT} 64 characters (letters, digits"),
    ('period = "6d"', "period: '6d' is too short; allowed: at least 7d"),
    ('period = "7d12h"', "period: is not in whole days; allowed: a period such as 180d"),
    ('kinds = ["churn"]', "kinds[0]: 'churn' is not allowed; allowed: \"at_risk_loyal\" or"),
    ('tiers = ["gold", "brass"]', "tiers[1]: 'brass' is not a tier of this policy"),
    ("shares = 0.1", "shares: unknown key; did you mean share?"),
    ('share = "10%"', "share: '10%' is not allowed; allowed: a number from 0 to 0.9"),
    ("share = -0.1", "share: -0.1 is not allowed"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_each_fault_is_one_line_that_names_its_line_and_what_is_allowed(text, fault):
    with pytest.raises(ValueError) as found:  # noqa: PT011 - PolicyFileError, whose text is looked at
        parse_policy("[experiment]\n" + text, "policy.toml")

    lines = str(found.value).splitlines()
    assert sum(line.startswith(f"policy.toml:2: experiment.{fault}") for line in lines) == 1, lines
