"""What an open alert says at a later instant, and how much its score has risen."""

from datetime import datetime

import msgspec
import pytest

from stream.core.alerts.alert import AlertData
from stream.core.alerts.build import open_alert_at
from stream.core.judgement.change import score_before
from stream.core.units import DAY_MS
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.replay.run import Replay, replay
from tests.support.builders import at, basis, bought, complained


def test_an_open_alert_says_at_the_instant_of_its_sending_what_was_sent():
    compared: list[tuple[AlertData, AlertData]] = []

    def compare(alert):
        profile = next(p for p in run.profiles.values() if p.customer == alert.subject)
        data = alert.data
        if data.state in ("raised", "escalated"):
            as_of_ms = round(datetime.fromisoformat(alert.time).timestamp() * 1_000)
            later = open_alert_at(data.kind, profile, as_of_ms, run.basis)
            compared.append((later, data))

    run = Replay(basis(), compare)
    for event in generated_events(Shop(customers=60, days=250), Disorder(), None):
        run.feed(event)
    run.advance(0)

    assert len(compared) > 10
    for later, sent in compared:
        for name in ("kind", "customer", "evidence", "value_at_risk", "counterfactual", "recommended_action"):
            assert getattr(later, name) == getattr(sent, name)
        assert later.score.value == sent.score.value


def regular(orders=30, gap=6.0):
    events = [bought(day * gap, 9_000) for day in range(orders)]
    return replay(events, basis(), until_ms=at(orders * gap + 60))[0]


def test_looking_at_an_open_alert_changes_nothing():
    profile = regular().profiles["c"]
    kind = next(kind for kind, e in profile.judgement.episodes.items() if e.state in ("raised", "escalated"))
    before = msgspec.json.encode(profile)

    open_alert_at(kind, profile, at(300), basis())
    score_before(kind, profile, at(270), basis())

    assert msgspec.json.encode(profile) == before


def test_a_score_before_the_last_purchase_is_that_of_the_purchase():
    profile = regular().profiles["c"]
    last_ms = profile.buying.sums.last_at_ms
    kind = next(kind for kind, e in profile.judgement.episodes.items() if e.state in ("raised", "escalated"))

    assert score_before(kind, profile, last_ms - 90 * DAY_MS, basis()) == score_before(
        kind, profile, last_ms, basis()
    )


@pytest.mark.parametrize("days", [0, 1, 10, 100])
def test_a_score_of_silence_only_rises(days):
    profile = regular().profiles["c"]
    kind = next(kind for kind, e in profile.judgement.episodes.items() if e.state in ("raised", "escalated"))
    last_ms = profile.buying.sums.last_at_ms

    assert score_before(kind, profile, last_ms + days * DAY_MS, basis()) <= score_before(
        kind, profile, last_ms + (days + 1) * DAY_MS, basis()
    )


def test_what_was_heard_since_counts_as_new_and_an_old_ticket_does_not():
    events = [*(bought(6.0 * day, 9_000) for day in range(31)), complained(100, "t", "late, bad, terrible")]
    events.sort(key=lambda event: event.time)
    quiet = replay(events, basis(), until_ms=at(181))[0].profiles["c"]
    heard = replay([*events, complained(180.5, "u", "bad again")], basis(), until_ms=at(181))[0].profiles["c"]

    ticket_weight = basis().policy.at_risk_loyal.ticket_weight
    assert score_before("at_risk_loyal", quiet, at(170), basis()) >= ticket_weight
    assert score_before("at_risk_loyal", heard, at(180.2), basis()) == pytest.approx(ticket_weight, abs=0.2)
    assert score_before("at_risk_loyal", heard, at(99), basis()) >= 0.0
