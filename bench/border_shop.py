"""Customers of a generated Christmas shop just before a month begins at which very many of them are due.

The shop is judged by a model of 13 weeks fitted to it. The busiest beginning of a month behind what the model
was fitted to is looked for; the customers stand as they did some minutes before it. Copies of them make a
shop of any size.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from msgspec import Struct

from bench.core.histories import SEASONAL_FROM, stream
from stream.core.events.event import Event, Reviewed
from stream.core.events.payload import Review
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS, calendar_month, first_day_of_month
from stream.importing.generated.kinds.history import kind_history
from stream.importing.generated.kinds.plans import ENDS
from stream.model_file import load_model
from stream.policy_file import default_policy
from stream.wire import encode_event
from stream.worker.rows.row import LiveRow, StoredRow

CUSTOMERS = 3_500
HORIZON = "13w"
BEFORE_MS = 5 * 60 * 1_000
"""So long before the border the customers stand as they are written."""
ANGRY = "Terrible. Late, broken and rude: I want my money back."


class BorderShop(Struct, frozen=True):
    """The customers, the instant at which a month begins, and who raises an alert by an angry review."""

    model: Path
    border_ms: int
    profiles: list[Profile]
    due: int
    """Of the customers, so many have their next review at the border."""
    ready_to_alert: list[str]


def border_shop(folder: Path) -> BorderShop:
    """Fit the model, find the border, and play the shop up to it; about a minute."""
    events = kind_history("christmas", customers=CUSTOMERS)[1]
    recorded, model = folder / "border.jsonl", folder / "border-model.json"
    recorded.write_bytes(b"".join(encode_event(event) + b"\n" for event in events))
    more = ("--horizon", HORIZON, "--until", SEASONAL_FROM, "--out", str(model))
    stream("fit", str(recorded), *more, folder=folder)
    basis = Basis(default_policy(), load_model(model))
    _, reviews = played(events, basis, _ms(ENDS))
    fitted_ms = _ms(datetime.fromisoformat(SEASONAL_FROM).replace(tzinfo=UTC))
    border_ms = max((at_ms for at_ms in reviews if at_ms > fitted_ms), key=reviews.__getitem__)
    kept, _ = played(events, basis, border_ms - BEFORE_MS)
    profiles = list(kept.values())
    due = sum(each.next_review_ms == border_ms for each in profiles)
    ready = [each.customer for each in profiles if _alerts(each, border_ms - BEFORE_MS, basis)]
    return BorderShop(model, border_ms, profiles, due, ready)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)


def played(events: Sequence[Event], basis: Basis, until_ms: int) -> tuple[dict[str, Profile], Counter[int]]:
    """The profiles as of an instant, and how many reviews there were at each beginning of a month (UTC)."""
    profiles: dict[str, Profile] = {}
    due: list[tuple[int, str]] = []
    found: Counter[int] = Counter()
    for event in chain((each for each in events if each.time_ms <= until_ms), [None]):
        at_ms = until_ms if event is None else event.time_ms
        while due and due[0][0] <= at_ms:
            review_ms, customer = heapq.heappop(due)
            profile = profiles[customer]
            if profile.next_review_ms == review_ms:
                found[review_ms] += _is_border(review_ms)
                on_review(profile, review_ms, basis)
                _note(due, profile)
        if event is not None:
            kept = on_event(profiles.get(event.subject), event, basis).profile
            assert kept is not None
            profiles[event.subject] = kept
            _note(due, kept)
    return profiles, found


def _note(due: list[tuple[int, str]], profile: Profile) -> None:
    if profile.next_review_ms is not None:
        heapq.heappush(due, (profile.next_review_ms, profile.customer))


def _is_border(at_ms: int) -> bool:
    day, rest = divmod(at_ms, DAY_MS)
    return not rest and first_day_of_month(calendar_month(day)) == day


def _alerts(profile: Profile, at_ms: int, basis: Basis) -> bool:
    """Whether an angry review makes an alert of this customer at once."""
    angry = angry_review(profile.customer, at_ms, "try")
    return any(alert.data.state == "raised" for alert in on_event(deepcopy(profile), angry, basis).alerts)


def angry_review(customer: str, at_ms: int, event_id: str) -> Reviewed:
    """One star, and what it says."""
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    review = Review(review_id=event_id, rating=1, rating_max=5, review_body=ANGRY)
    return Reviewed(id=event_id, source="/bench", subject=customer, time=at, data=review)


def rows(profiles: Sequence[Profile], copies: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and rows of so many copies of each customer, as a worker has them in its changelog."""
    for profile in profiles:
        row, name = LiveRow(StoredRow(profile=profile)).encode(), f'"customer":"{profile.customer}"'.encode()
        for copy in range(copies):
            key = copy_of(profile.customer, copy)
            yield key.encode(), row.replace(name, f'"customer":"{key}"'.encode(), 1)


def copy_of(customer: str, copy: int) -> str:
    """The id of a copy of a customer."""
    return f"{customer}-{copy}"
