"""A published model is in force from an instant of event time on, also when the worker dies around it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream.core.events.event import Event, ModelPublished
from stream.core.events.payload import ModelRecord
from stream.core.facts.profile import Judgement
from stream.core.judgement.basis import Basis
from stream.core.model.document import encode_model, sealed
from stream.core.model.record import Model
from stream.core.units import DAY_MS
from stream.model_file import default_model
from stream.replay.run import replay
from stream.wire import encode_alert
from stream.worker.rows.row import MODEL_KEY
from tests.support.builders import basis, bought, reviewed, when
from tests.support.narrow import not_none
from tests.support.pipe import Pipe, by_topic

ANYONE = ("a", "b", "c", "d")


def other_model() -> Model:
    """Customers of this model leave sooner."""
    model = default_model()
    return sealed(msgspec.structs.replace(model, process=msgspec.structs.replace(model.process, b=0.4)))


def published(day: float, model: Model) -> ModelPublished:
    data = ModelRecord(model=msgspec.Raw(encode_model(model)))
    return ModelPublished(id=f"m{day}", source="/fit", subject="model", time=when(day), data=data)


def a_year() -> list[Event]:
    """Four weekly customers; a new model in the autumn; two stop buying before it, all after it."""
    purchases = [
        bought(week * 7.0 + place / 10, 30_000, event_id=f"{name}{week}", customer=name)
        for place, name in enumerate(ANYONE)
        for week in range(34 if name in "ab" else 44)
    ]
    events = [*purchases, published(310, other_model()), reviewed(300, 1, event_id="word")]
    return sorted([*events, bought(420, 1, customer="z", event_id="end")], key=lambda event: event.time)


def fed(pipe: Pipe, life: list[Event], skipped: dict[str, int] | None = None) -> None:
    for topic, events in by_topic(life).items():
        left = events[(skipped or {}).get(topic, 0) :]
        pipe.arrive(topic, left)
    pipe.live()


def expected() -> tuple[Any, set[bytes]]:
    run, alerts = replay(a_year(), basis())
    return run, {encode_alert(alert) for alert in alerts}


def judgement_of(pipe: Pipe, key: bytes) -> Judgement:
    return not_none(not_none(pipe.lane.get(key)).profile).judgement


def test_the_published_model_is_used_from_its_instant_on():
    pipe = Pipe(guarded=False)
    fed(pipe, a_year())
    run, alerts = expected()

    assert set(pipe.alerts()) == alerts
    versions = {msgspec.json.decode(body)["data"]["policy"]["model"] for body in alerts}
    assert len(versions) == 2
    assert judgement_of(pipe, b"a") == run.profiles["a"].judgement


@pytest.mark.parametrize("kept", [(), ("a",), ("b", "d"), ANYONE])
@pytest.mark.parametrize("until", [300, 315, 400])
def test_after_a_crash_earlier_events_are_judged_by_the_earlier_model(kept, until):
    before = Pipe(guarded=False)
    fed(before, [event for event in a_year() if event.time < when(until)])
    after = Pipe(guarded=False)
    written = dict(before.lane.table.take_all())
    rows = [(key, row) for key, row in written.items() if key == MODEL_KEY or key.decode() in kept]
    after.lane.table.apply_changelog(
        [(*row, None) for row in rows]
    )  # some rows had been written, nothing had been committed
    after.lane.table.index()

    fed(after, a_year())
    run, alerts = expected()

    assert set(before.alerts()) | set(after.alerts()) == alerts
    for name in ANYONE:
        assert judgement_of(after, name.encode()) == run.profiles[name].judgement


def test_after_a_committed_restart_the_published_model_stays():
    life = a_year()
    early = [event for event in life if event.time < when(300)]
    before = Pipe(guarded=False)
    fed(before, early)
    skipped = {topic: len(events) for topic, events in by_topic(early).items()}
    after = Pipe(guarded=False, start=skipped)
    after.lane.table.apply_changelog([(*row, None) for row in before.lane.table.take_all()])
    after.lane.table.index()

    fed(after, life, skipped)

    assert set(before.alerts()) | set(after.alerts()) == expected()[1]


def refitted(model: Model, days: int) -> Model:
    """The same model, fitted so many days later."""
    return sealed(msgspec.structs.replace(model, fitted_at_ms=model.fitted_at_ms + days * DAY_MS, version=""))


def versions_after_a_restart(
    published_model: Model, before: Model, after: Model, *, committed: bool = True
) -> set[str]:
    """The models of the alerts after a restart with other settings."""
    life = [event for event in a_year() if not isinstance(event, ModelPublished)]
    early = [event for event in life if event.time < when(250)]
    early.append(published(250, published_model))
    first = Pipe(guarded=False, judged_by=Basis(basis().policy, before))
    fed(first, early)
    skipped = {topic: len(events) for topic, events in by_topic(early).items()} if committed else {}
    second = Pipe(guarded=False, start=skipped, judged_by=Basis(basis().policy, after))
    second.lane.table.apply_changelog([(*row, None) for row in first.lane.table.take_all()])
    second.lane.table.index()
    fed(second, [*early, *(event for event in life if event.time > when(250))], skipped)
    late = (msgspec.json.decode(body) for body in second.alerts())
    return {alert["data"]["policy"]["model"] for alert in late if alert["time"] > "2024-10"}


@pytest.mark.parametrize("committed", [True, False])
def test_a_later_fitted_model_of_the_settings_replaces_the_published_one(committed):
    own, kept = default_model(), refitted(other_model(), 1)
    newer = refitted(own, 2)

    if committed:
        assert versions_after_a_restart(kept, own, newer) == {newer.version}
    else:  # the publication comes again: it was made, and it is adopted
        assert versions_after_a_restart(kept, own, newer, committed=False) == {kept.version}


def test_an_earlier_fitted_model_of_the_settings_does_not_replace_it():
    own, kept = default_model(), refitted(other_model(), 2)

    assert versions_after_a_restart(kept, own, refitted(own, 1)) == {kept.version}


def test_an_older_model_published_on_purpose_survives_a_restart():
    own = refitted(default_model(), 2)
    kept = refitted(other_model(), 1)

    assert versions_after_a_restart(kept, own, own) == {kept.version}


def test_rows_in_a_flush_are_judged_by_the_published_model_too():
    pipe = Pipe(guarded=False)
    fed(pipe, [event for event in a_year() if event.time < when(250)])
    pipe.lane.table.take_all()  # under way, not at rest

    assert pipe.lane.table.all_keys() == [b"a", b"b", b"c", b"d"]


@pytest.mark.parametrize("kept", [(), ("a", "c"), ANYONE])
@pytest.mark.parametrize("again", [False, True])
def test_two_models_in_quick_succession_with_a_commit_between_them(kept, again):
    """The first was committed with rows that were written when the second had been adopted already."""
    first, second = other_model(), refitted(other_model(), 1)
    life = [event for event in a_year() if not isinstance(event, ModelPublished)]
    life = sorted([*life, published(210, first), published(310, second)], key=lambda event: event.time)
    committed = [event for event in life if event.time < when(250)]
    skipped = {topic: len(events) for topic, events in by_topic(committed).items()}
    run, alerts = replay(life, basis())

    before = Pipe(guarded=False)
    fed(before, committed)
    rows = dict(before.lane.table.take_all())
    fed(before, [event for event in life if when(250) < event.time < when(330)])
    later = before.lane.table.take_all()
    rows.update((key, row) for key, row in later if key == MODEL_KEY or key.decode() in kept)
    sent = set(before.alerts())
    for _ in range(2 if again else 1):  # or it dies once more, before anything else was committed
        after = Pipe(guarded=False, start=skipped)
        after.lane.table.apply_changelog([(*row, None) for row in rows.items()])
        after.lane.table.index()
        fed(after, life, skipped)
        sent |= set(after.alerts())
        rows.update((key, row) for key, row in after.lane.table.take_all() if key == MODEL_KEY)

    assert sent == {encode_alert(alert) for alert in alerts}
    for name in ANYONE:
        assert judgement_of(after, name.encode()) == run.profiles[name].judgement


def unusable(model: Model) -> Model:
    """Well-formed, but its tables of lifetime value would take minutes."""
    process = msgspec.structs.replace(model.process, a=1e-4, b=1e-4)
    return sealed(msgspec.structs.replace(model, process=process, tables=(), version=""))


def test_a_model_that_cannot_judge_is_a_dead_letter_and_the_one_before_stays_in_force():
    life = sorted([*a_year(), published(320, unusable(other_model()))], key=lambda event: event.time)
    pipe = Pipe(guarded=False)
    fed(pipe, life)
    run, alerts = replay(life, basis())

    assert set(pipe.alerts()) == {encode_alert(alert) for alert in alerts} == expected()[1]
    assert judgement_of(pipe, b"a") == run.profiles["a"].judgement
    (letter,) = [out for out in pipe.lane.outgoing if out.topic.endswith("deadletter.v1")]
    assert "fit the model with that policy" in str(letter.headers)
    assert len(run.refused) == 1


def test_a_stored_model_that_cannot_judge_is_not_used_and_the_worker_starts():
    early = [event for event in a_year() if event.time < when(315)]
    before = Pipe(guarded=False)
    fed(before, early)
    rows = dict(before.lane.table.take_all())
    stored = msgspec.json.decode(not_none(rows[MODEL_KEY]))
    stored["models"][0] = msgspec.Raw(encode_model(unusable(other_model())))
    rows[MODEL_KEY] = msgspec.json.encode(stored)
    skipped = {topic: len(events) for topic, events in by_topic(early).items()}
    after = Pipe(guarded=False, start=skipped)
    after.lane.table.apply_changelog([(*row, None) for row in rows.items()])
    after.lane.table.index()

    fed(after, a_year(), skipped)

    versions = {msgspec.json.decode(body)["data"]["policy"]["model"] for body in after.alerts()}
    assert versions == {default_model().version}
