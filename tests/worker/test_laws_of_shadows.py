"""Policies published, put beside, promoted and taken back: the end is the same wherever the worker dies.

The engine's lane and the worker's keeper on a changelog and commits that outlive them; at least once, so any
part of the flush under way may have been written when the worker dies.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import Event, ModelPublished
from stream.core.events.payload import ModelRecord
from stream.core.model.document import encode_model, sealed
from stream.engine.output.flush import ALL
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.worker.rows.row import OWN_ROWS
from tests.support.builders import when
from tests.support.lasting_kafka import LastingKafka
from tests.support.published_policies import a_year, bold, of_policy, published, replayed, switched


def another_model(day: float) -> ModelPublished:
    model = default_model()
    other = sealed(msgspec.structs.replace(model, process=msgspec.structs.replace(model.process, b=0.4)))
    data = ModelRecord(model=msgspec.Raw(encode_model(other)))
    return ModelPublished(id=f"m{day}", source="/fit", subject="model", time=when(day), data=data)


STORIES: dict[str, list[Event]] = {
    "shadow": a_year(published(190, "shadow", bold())),
    "model": a_year(published(190, "shadow", bold()), another_model(300)),
    "promoted": a_year(
        published(150, "shadow", bold()), published(230, "active", bold()), published(350, "off", bold())
    ),
}


def wanted(name: str) -> tuple[set[bytes], set[bytes] | None]:
    """The alerts, and those of the shadow as far as one replay says them."""
    story = STORIES[name]
    shadow = of_policy(replayed(switched(story))[1], bold()) if name != "promoted" else None
    return replayed(story)[1], shadow


WANTED = {name: wanted(name) for name in STORIES}


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
@settings(max_examples=20)
@given(st.data())
def test_wherever_the_worker_dies_alerts_and_shadow_are_those_of_replays(
    name: str, data: st.DataObject
) -> None:
    story = STORIES[name]
    kafka = LastingKafka(story, views="off")
    worker, place = kafka.worker(), 0
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(place, len(story)))
        kafka.read(worker, place)
        for row_limit in data.draw(st.lists(st.sampled_from([0, 1, 2, ALL]), max_size=3)):
            kafka.flush(worker, row_limit=row_limit)
        if data.draw(st.booleans()):
            row_limit = data.draw(st.sampled_from([0, 1, ALL]))
            kafka.flush(worker, survives=lambda: data.draw(st.booleans()), row_limit=row_limit)
            worker = kafka.worker()
            place = sum(point.offset for point in kafka.points.values())
    kafka.read(worker, len(story))
    kafka.settle(worker)

    alerts, shadow = WANTED[name]
    assert kafka.alerts == alerts
    if shadow is not None:
        assert kafka.shadow_alerts == shadow
    assert judgements(kafka) == {name: one.judgement for name, one in replayed(story)[0].profiles.items()}


def judgements(kafka: LastingKafka) -> dict[str, Any]:
    found = {key: one for key, one in kafka.profiles().items() if not key.startswith(OWN_ROWS)}
    return {key.decode(): one.judgement for key, one in found.items() if one is not None}


def test_the_stories_alert_under_both_policies() -> None:
    for name, (alerts, shadow) in WANTED.items():
        assert of_policy(alerts, default_policy()), name
        assert shadow is None or shadow, name
