"""A worker whose wall clock is set back or forward while it runs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from stream.wire import TOO_EARLY, encode_event
from stream.worker.rows import codec as codec_module
from stream.worker.rows.codec import ProfileCodec, RejectedRecord
from tests.support.builders import START_MS, visited

TOPIC = "engagement"


class Machine:
    """A machine with a wall clock and a monotonic clock."""

    def __init__(self) -> None:
        self.wall_ms, self.run_ms = START_MS, 5_000

    def wait(self, elapsed_ms: int) -> None:
        self.wall_ms += elapsed_ms
        self.run_ms += elapsed_ms

    def refuses(self, codec: ProfileCodec, at_ms: int) -> bool:
        event = visited((at_ms - START_MS) / DAY_MS)
        record = SimpleNamespace(
            key=event.subject.encode(), value=encode_event(event), headers=(), offset=0, timestamp=0
        )
        arrived = codec.decode(TOPIC, 0, record).event
        if isinstance(arrived, RejectedRecord):
            assert arrived.rejected is TOO_EARLY
            return True
        return False


@pytest.fixture
def machine(monkeypatch):
    here = Machine()
    clocks = SimpleNamespace(
        time_ns=lambda: here.wall_ms * 1_000_000, monotonic_ns=lambda: here.run_ms * 1_000_000
    )
    monkeypatch.setattr(codec_module, "time", clocks)
    return here


@pytest.fixture
def codec(machine):
    return ProfileCodec({TOPIC: "engagement"}, 1, live=True)


def test_an_event_more_than_five_minutes_ahead_is_too_early(machine, codec):
    assert not machine.refuses(codec, START_MS + 5 * MINUTE_MS)
    assert machine.refuses(codec, START_MS + 6 * MINUTE_MS)


def test_after_the_clock_was_set_back_events_in_time_are_accepted(machine, codec):
    machine.wait(HOUR_MS)
    right_ms = machine.wall_ms
    machine.wall_ms -= 2 * HOUR_MS
    assert not machine.refuses(codec, right_ms)
    assert machine.refuses(codec, right_ms + 6 * MINUTE_MS)


def test_after_the_clock_was_set_forward_it_counts(machine, codec):
    assert machine.refuses(codec, START_MS + HOUR_MS)
    machine.wall_ms += HOUR_MS
    assert not machine.refuses(codec, START_MS + HOUR_MS)
