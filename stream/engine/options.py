"""Everything that can be set about the engine, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GUARANTEES = ("at_least_once", "exactly_once")
CLOCKS = ("event", "wall")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """`inputs` are co-partitioned; their order breaks ties of event time."""

    app_id: str
    bootstrap: str
    inputs: tuple[str, ...]
    changelog: str
    reference: str | None = None  # the input whose silence is a stalled source, not silent customers
    ticks: str | None = None  # the input that may carry ticks (Arrival.complete_to_ms)
    guarantee: str = "at_least_once"
    clock: str = "event"
    flush_interval_s: float = 5.0  # about the longest that a changed row waits, and a commit for it
    max_idle_s: float = 60.0  # how long a topic with records still to come may keep the others waiting
    merge_wait_s: float = 0.0  # how long a record waits for topics that were read to their end
    stall_after_ms: int = 6 * 60 * 60 * 1000  # event time that no input may be ahead of the heartbeat
    poll_s: float = 0.05  # the pulse of time when nothing arrives
    max_poll_records: int = 10_000
    max_pending: int = 1_000  # records of one partition held for the merge before it is paused
    max_unflushed: int = 500_000  # arrivals folded and not yet durable before folding waits
    max_hot_rows: int = 100_000  # live rows kept, over all partitions held; the others rest as bytes
    store: Path | None = None  # a directory of this worker alone: rows rest on disk instead of in memory
    session_timeout_s: float = 30.0
    delivery_timeout_s: float = 60.0
    look_every_s: float = 1.0  # how often changelogs are looked at for rows of a worker that was replaced
    transaction_timeout_s: float = 30.0  # then the broker aborts; at a third of it we do it again
    stop_timeout_s: float = 30.0  # a graceful stop that takes longer becomes a hard one
    web_port: int = 6066
    producer: Mapping[str, Any] = field(default_factory=dict)  # librdkafka settings on top: security, sizes
    faust: Mapping[str, Any] = field(default_factory=dict)  # Faust settings on top: credentials

    def __post_init__(self) -> None:
        if not self.inputs:
            raise ValueError("inputs: at least one topic is needed")
        if self.guarantee not in GUARANTEES:
            raise ValueError(f"guarantee: {self.guarantee!r} is none of {', '.join(GUARANTEES)}")
        if self.clock not in CLOCKS:
            raise ValueError(f"clock: {self.clock!r} is none of {', '.join(CLOCKS)}")
        for name in ("reference", "ticks"):
            topic = getattr(self, name)
            if topic is not None and topic not in self.inputs:
                raise ValueError(f"{name}: {topic!r} is none of the inputs")

    @property
    def exactly_once(self) -> bool:
        return self.guarantee == "exactly_once"

    @property
    def security(self) -> Mapping[str, Any]:
        """Of `producer` what every other client of librdkafka must be told as well."""
        names = ("sasl.", "ssl.", "security.")
        return {name: value for name, value in self.producer.items() if name.startswith(names)}
