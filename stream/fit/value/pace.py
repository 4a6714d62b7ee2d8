"""At what pace known customers will buy: after the next purchase, by the shop's trend, and each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from stream.core.model.pace import Further, Trend, Wander
from stream.core.model.record import Model
from stream.fit.history import History
from stream.fit.value.further import learnt_further
from stream.fit.value.trend import learnt_trend
from stream.fit.value.wander import learnt_wander


class LearntPace(NamedTuple):
    """What past looks show, each None where it was not surely better than nothing."""

    further: Further | None
    trend: Trend | None
    wander: Wander | None

    @property
    def notes(self) -> list[str]:
        """What is to be known of it, in words."""
        return [one.learnt for one in self if one is not None]


def learnt_pace(history: History, lessons: Mapping[int, tuple[Model, Sequence[int]]]) -> LearntPace:
    """The pace that a history shows.

    `lessons`: training day -> the model of then, with the layer of today, and how far ahead is looked, ms.
    """
    further = learnt_further(history, lessons)
    known = {day_ms: (replace(model, further=further), spans) for day_ms, (model, spans) in lessons.items()}
    trend = learnt_trend(history, known)
    paced = {day_ms: (replace(model, trend=trend), spans) for day_ms, (model, spans) in known.items()}
    return LearntPace(further, trend, learnt_wander(history, paced))
