"""What the worker writes, it can read: absurd lives go through decoding, the core, and the bytes of rows.

`python -m tests.support.reading_back --seconds 600` goes on for so long, with the seeds from `--seed` on, and
prints the seed of the life that failed.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from random import Random
from typing import Any

import jsonschema_rs
import msgspec

from stream.contracts.export import schema_of
from stream.contracts.registry import contracts
from stream.core.alerts.alert import Alert
from stream.core.events.event import EVENT_TYPES
from stream.core.judgement.basis import Basis
from stream.core.model.document import BOUNDS, ModelError, sealed
from stream.core.model.record import Model
from stream.core.step import Step, on_basis, on_event, on_review
from stream.core.units import DAY_MS
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy
from stream.wire import Rejected, TopicKind, encode_alert
from stream.worker.rows.codec import ProfileCodec, RejectedRecord
from stream.worker.rows.row import LiveRow, StoredRow
from tests.support.builders import basis, learnt_basis
from tests.support.extremes import as_bytes, extreme_event, extreme_times

TOPICS: dict[str, TopicKind] = {kind: kind for kind in EVENT_TYPES}  # type: ignore[misc]
CODEC = ProfileCodec(TOPICS, 1, live=False)
SUBJECTS = (
    "c",
    '"',
    "\\",
    "ü😀",
    "x" * 256,
    "\U0010ffff" * 256,
    '","next_review_ms":7,"first_seen_ms":',
    " ",
)
ALERTS = jsonschema_rs.Draft202012Validator(
    schema_of(next(each for each in contracts() if each.name == "alert"), 1), validate_formats=True
)
LAX = """
[churn_risk]
tier_min = "bronze"
purchase_days_min = 1
hysteresis = { raise_at = 0.01, clear_at = 0.0, escalate_at = 0.02, cool_down = "1s", expire = "36525d" }
[upgrade_opportunity]
purchase_days_min = 1
closeness_min = 0.0
growth_full = 1e-300
affinity_min = 1e-300
risk_max = 1.0
hysteresis = { raise_at = 0.01, clear_at = 0.0, escalate_at = 0.02, cool_down = "1s" }
[at_risk_loyal]
tier_min = "bronze"
drop_unhappy = 1e-300
ticket_patience = "1s"
hysteresis = { raise_at = 0.01, clear_at = 0.0, escalate_at = 0.02, cool_down = "1s" }
[stages]
established_purchase_days = 1
loyal_purchase_days = 2
loyal_tenure = "1s"
[contact]
alerts_max = 100
[finance]
margin = 1.0
annual_discount = 0.001
horizon = "36525d"
risk_horizon = "36525d"
"""
"""A policy that raises alerts for nearly everybody."""


@dataclass
class Raw:
    """A record as Kafka would give it."""

    value: bytes | None
    key: bytes | None
    offset: int = 0
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


@lru_cache(maxsize=1)
def bases() -> tuple[Basis, ...]:
    """The default, a learnt model, and a policy that lets nearly every rule speak."""
    return (
        basis(),
        learnt_basis(),
        Basis(parse_policy(LAX), default_model()),
        Basis(parse_policy(LAX), learnt_basis().model),
    )


@lru_cache(maxsize=64)
def extreme_basis(number: int) -> Basis:
    """A model with parameters at the bounds that models must keep; it takes a second to tabulate."""
    random = Random(number)
    content: Any = msgspec.to_builtins(default_model())
    content.update(version="", tables=[])
    for part, bounds in BOUNDS.items():
        if content.get(part) is None:
            continue
        for name, (low, high) in bounds.items():
            if random.random() < 0.4:
                edge = random.choice((max(low, 0.01) if name in "ab" else low, high))  # below: minutes
                content[part][name] = int(edge) if isinstance(content[part][name], int) else edge
    content["population"]["value_quantiles"] = random.choice(
        (content["population"]["value_quantiles"], [0.0] * 101, [-1e308] + [1e308] * 100, [5e-324] * 101)
    )
    try:
        model = sealed(msgspec.convert(content, Model))
    except ModelError:
        return bases()[0]
    return Basis(random.choice((default_policy(), parse_policy(LAX))), model)


class ReadingBack:
    """Plays lives, and checks everything that would be written."""

    def __init__(self, extreme_models: int) -> None:
        """`extreme_models`: how many models with absurd parameters judge one life in five."""
        self._extreme_models = extreme_models
        self.counts: Counter[str] = Counter()

    def life(self, seed: int) -> None:
        """One customer, from events at the edges of the contract; AssertionError: what cannot be read."""
        random = Random(seed)
        subject = random.choice(SUBJECTS)
        judged_by = random.choice(bases())
        if self._extreme_models and random.random() < 0.2:
            judged_by = extreme_basis(random.randrange(self._extreme_models))
        row = LiveRow(StoredRow())
        for number, at in enumerate(extreme_times(random, random.choice((1, 3, 12, 40, 120)))):
            kind, envelope = extreme_event(random, subject, at)
            record = Raw(as_bytes(envelope), subject.encode(), number)
            event = CODEC.decode(kind, 0, record).event
            self.counts["events"] += 1
            if isinstance(event, RejectedRecord):
                self._explained(event.rejected, envelope)
                continue
            self._took(row, on_event(row.profile, event, judged_by), number)
            if row.profile is not None and random.random() < 0.2:
                as_of_ms = event.time_ms + random.choice((0, 1, DAY_MS, 100 * DAY_MS))
                self._took(row, on_review(row.profile, as_of_ms, judged_by), number)
            if row.profile is not None and random.random() < 0.05:
                judged_by = random.choice(bases())
                self._took(row, on_basis(row.profile, event.time_ms, judged_by), number)
            if random.random() < 0.2:
                row = self._reread(row)
        self._reread(row)
        self.counts["lives"] += 1

    def _explained(self, rejected: Rejected, envelope: dict[str, Any]) -> None:
        self.counts[f"rejected: {rejected.reason} {rejected.detail}"] += 1
        assert rejected.detail, envelope

    def _took(self, row: LiveRow, step: Step, number: int) -> None:
        row.profile = step.profile
        row.changed |= step.changed
        row.applied["purchases"] = number
        for alert in step.alerts:
            self.counts["alerts"] += 1
            body = encode_alert(alert)
            assert msgspec.json.decode(body, type=Alert) == alert
            ALERTS.validate(msgspec.json.decode(body))
            assert_finite(msgspec.to_builtins(alert), "alert")
        row.outbox = [msgspec.Raw(encode_alert(alert)) for alert in step.alerts]

    def _reread(self, row: LiveRow) -> LiveRow:
        written = row.encode()
        self.counts["rows"] += 1
        again = CODEC.decode_row(b"c", written)
        assert again.profile == row.profile
        assert_finite(msgspec.to_builtins(row.profile), "profile")
        assert CODEC.timer_ms(again) == CODEC.peek(written).timer_ms
        assert again.encode() == written
        return again


def assert_finite(value: Any, path: str) -> None:
    """Every number in it is finite; the path of one that is not."""
    if isinstance(value, float):
        assert isfinite(value), f"{path} is {value}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            assert_finite(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            assert_finite(inner, f"{path}[{place}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", type=int, default=24)
    options = parser.parse_args()
    reading, seed, until = ReadingBack(options.models), options.seed, time.monotonic() + options.seconds
    while time.monotonic() < until:
        try:
            reading.life(seed)
        except Exception as failure:
            failure.add_note(f"seed {seed}")
            raise
        seed += 1
    for name, count in sorted(reading.counts.items()):
        print(f"{count:>12,} {name}")


if __name__ == "__main__":
    main()
