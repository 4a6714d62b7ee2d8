"""How many alerts are held back, and why, is counted when it begins: each once, by its first reason."""

from collections import Counter
from functools import partial
from typing import get_args

from hypothesis import given

from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.held import HeldBy, held_back
from stream.core.step import Step, on_event, on_review
from stream.core.units import DAY_MS
from stream.worker.rows.row import LiveRow, StoredRow
from tests.support.builders import basis, bought, reviewed
from tests.support.narrow import not_none
from tests.support.pipe import TOPICS, Pipe
from tests.support.strategies import in_time_order, loyal_lives

ANGRY = "Terrible. It arrived broken, nobody answers, the worst service ever. I hate it."
PATIENT = '[at_risk_loyal.hysteresis]\ndwell = "3d"\n'
ORDERS = [bought(14.0 * number, 9_000) for number in range(26)]


def counted(pipe: Pipe) -> Counter[tuple[str, str]]:
    """Kind and reason -> the counter."""
    pipe.processor.end_batch(0.0)
    collected = pipe.metrics.registry.collect()
    (family,) = (each for each in collected if each.name == "customer_stream_alerts_held_back")
    samples = [each for each in family.samples if each.name.endswith("_total")]
    return Counter({(each.labels["kind"], each.labels["reason"]): int(each.value) for each in samples})


def test_an_alert_that_waits_for_its_dwell_is_counted_once_however_often_it_is_looked_at():
    pipe = Pipe(guarded=False, judged_by=basis(PATIENT))
    pipe.feed(TOPICS[0], ORDERS)
    assert counted(pipe) == {}

    for day in (352.0, 352.1, 352.2):
        pipe.feed(TOPICS[2], [reviewed(day, 1, ANGRY)])
    assert counted(pipe) == {("at_risk_loyal", "dwell"): 1}
    assert pipe.alerts() == []

    pipe.feed(TOPICS[2], [reviewed(358.0, 1, ANGRY)])
    assert len(pipe.alerts()) == 1
    assert counted(pipe) == {("at_risk_loyal", "dwell"): 1}


def test_a_row_that_is_read_back_remembers_what_was_held_back_when_it_was_written():
    profile, waiting = None, basis(PATIENT)
    for event in (*ORDERS, reviewed(352.0, 1, ANGRY)):
        profile = on_event(profile, event, waiting).profile

    assert LiveRow(StoredRow(profile=profile)).held == {"at_risk_loyal"}


@given(loyal_lives().map(in_time_order))
def test_every_alert_that_begins_to_be_held_back_is_counted_and_no_other(life):
    """Against the core, asked for its reasons before and after each step of a life and a year of silence."""
    pipe, judged_by, row = Pipe(guarded=False), basis(), LiveRow(StoredRow())
    begun: Counter[tuple[str, str]] = Counter()
    before: set[str] = set()
    steps = [partial(_event, event, judged_by) for event in life]
    steps += [partial(_silence, life[-1].time_ms + days * DAY_MS, judged_by) for days in range(5, 365, 5)]
    for step in steps:
        profile = row.profile = not_none(step(row.profile).profile)
        pipe.processor.counts.judged(row, profile.judgement, pipe.lane, lambda _: judged_by)
        now = dict(held_back(profile.judgement, profile.judgement.judged_ms, judged_by))
        begun.update((kind, why) for kind, why in now.items() if kind not in before)
        before = set(now)

    assert {why for _, why in begun} <= set(get_args(HeldBy))
    assert counted(pipe) == begun


def _event(event: Event, judged_by: Basis, profile: Profile | None) -> Step:
    return on_event(profile, event, judged_by)


def _silence(until_ms: int, judged_by: Basis, profile: Profile | None) -> Step:
    return on_review(not_none(profile), until_ms, judged_by)
