"""The options of the engine, checked once. Names end in `_s` (seconds) or `_ms` (ms of event time)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GUARANTEES = ("at_least_once", "exactly_once")
CLOCKS = ("event", "wall")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The options of one application; the same for all its workers, but for `store` and `web_port`.

    `inputs` must be co-partitioned: equal numbers of partitions, and the same key in the same partition
    number. The changelog has as many partitions.
    """

    app_id: str
    bootstrap: str
    inputs: tuple[str, ...]
    changelog: str
    reference: str | None = None  # the input that never pauses: its silence means that it failed
    ticks: str | None = None  # the input that may hold ticks (Arrival.complete_to_ms)
    guarantee: str = "at_least_once"
    clock: str = "event"  # "wall": timers also fire by the wall clock, while all input was given out
    flush_interval_s: float = 5.0  # about the longest that a changed row waits to be written and committed
    max_idle_s: float = 60.0  # how long a topic of which Kafka has more may deliver nothing and be waited for
    merge_wait_s: float = 0.0  # how long a record waits for topics that were read to their end
    history_quiet_s: float = 120.0  # so long without a record, and a history pauses (task/lane_clock.py)
    stall_after_ms: int = 6 * 60 * 60 * 1000  # event time by which input may be ahead of `reference`
    poll_s: float = 0.05  # how long a poll waits for records: so often timers are looked at
    max_poll_records: int = 10_000
    max_batch_bytes: int = 64 << 20  # a batch that holds more when it is decompressed is rejected unread
    max_pending: int = 1_000  # records of one input partition that wait for the merge; then no more are read
    max_unflushed: int = 500_000  # moments that may be given out and not committed; then the agent waits
    max_hot_rows: int = 100_000  # live rows in memory, over all partitions; the others are bytes in the store
    store: Path | None = None  # directory for rows on disk, of this worker alone; None: rows stay in memory
    open_transaction_s: float = 60.0  # a producer's transaction that is open for so long is told
    session_timeout_s: float = 30.0
    delivery_timeout_s: float = 60.0  # for an acknowledgement, and for a broker that is away
    look_every_s: float = 1.0  # how often the changelogs' ends are checked for rows of a replaced worker
    transaction_timeout_s: float = 30.0  # then the broker aborts it; after a third of it we do it again
    stop_timeout_s: float = 30.0  # an orderly stop that takes longer is cut short
    web_port: int = 6066  # passed on to Faust, whose web server is off
    producer: Mapping[str, Any] = field(default_factory=dict)  # more settings for librdkafka: security, sizes
    faust: Mapping[str, Any] = field(default_factory=dict)  # more settings for Faust: credentials

    def __post_init__(self) -> None:
        if not self.inputs:
            raise ValueError("inputs: at least one topic is needed")
        if self.guarantee not in GUARANTEES:
            raise ValueError(f"guarantee: {self.guarantee!r} is not one of {', '.join(GUARANTEES)}")
        if self.clock not in CLOCKS:
            raise ValueError(f"clock: {self.clock!r} is not one of {', '.join(CLOCKS)}")
        for name in ("reference", "ticks"):
            topic = getattr(self, name)
            if topic is not None and topic not in self.inputs:
                raise ValueError(f"{name}: {topic!r} is not one of the inputs")

    @property
    def exactly_once(self) -> bool:
        return self.guarantee == "exactly_once"

    @property
    def security(self) -> Mapping[str, Any]:
        """The settings among `producer` that every other librdkafka client needs as well."""
        names = ("sasl.", "ssl.", "security.", "oauth_cb")
        return {name: value for name, value in self.producer.items() if name.startswith(names)}
