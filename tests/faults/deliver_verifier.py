"""What must be true after `stream deliver` was killed again and again, from three records of others alone.

These are the alerts that were written, what each receiver saw, and the deliveries topic. No code is shared.

D1  every alert has an outcome at every endpoint, and one that stays
D2  accepted is what the receiver took, and the other way round
D3  what was superseded or suppressed was never attempted
D4  the alerts of a customer came in their order: no attempt of an earlier one after that of a later one
D5  an alert was taken more than once only around a crash
D6  every signature was right
D7  of a long answer only the beginning was read
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

ANSWER_BYTES_MAX = 20_000_000
"""What may leave the receiver of an answer of 50 MB before the connection is closed: buffers."""
UNDER_WAY = 16
"""Attempts that a process may have had under way when it was killed."""


class Written(Struct, frozen=True):
    """An alert on the topic, in the order of writing."""

    alert_id: str
    customer: str
    state: str


class Seen(Struct):
    """What one endpoint's receiver tells: its messages in order, and the bytes of its longest answer."""

    messages: list[dict[str, Any]]
    longest_answer_bytes: int = 0


def violations(
    written: Sequence[Written],
    seen: Mapping[str, Seen],
    outcomes: Sequence[Mapping[str, Any]],
    crashes: int,
) -> list[str]:
    """All of them, a line each. `outcomes`: the records of the deliveries topic, as JSON."""
    found: list[str] = []
    by_endpoint: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in seen}
    for each in outcomes:
        data = each["data"]
        by_endpoint[data["endpoint"]][data["alert_id"]].add(data["outcome"])
    for name, receiver in seen.items():
        found += (f"{name}: {line}" for line in _of_endpoint(written, receiver, by_endpoint[name], crashes))
    return found


def _of_endpoint(
    written: Sequence[Written], seen: Seen, outcomes: Mapping[str, set[str]], crashes: int
) -> Iterator[str]:
    taken = Counter(each["id"] for each in seen.messages if 200 <= each["status"] < 300)
    tried = {each["id"] for each in seen.messages}
    for each in written:
        ends = outcomes.get(each.alert_id, set())
        if len(ends) != 1:
            yield f"D1 {each.customer} {each.state} {each.alert_id} has the outcomes {sorted(ends)}"
        elif ("accepted" in ends) != (each.alert_id in taken):
            yield f"D2 {each.alert_id}: {ends}, and the receiver took it {taken[each.alert_id]} times"
        elif ends & {"superseded", "suppressed"} and each.alert_id in tried:
            yield f"D3 {each.alert_id}: {ends}, and was attempted"
    yield from _order(written, seen)
    repeated = sum(taken.values()) - len(taken)
    if repeated > UNDER_WAY * crashes:
        yield f"D5 {repeated} alerts were taken again in {crashes} crashes"
    for message in seen.messages:
        if message["status"] == 401:
            yield f"D6 {message}"
    if seen.longest_answer_bytes > ANSWER_BYTES_MAX:
        yield f"D7 {seen.longest_answer_bytes:,} bytes of an answer were sent"


def _order(written: Sequence[Written], seen: Seen) -> Iterator[str]:
    place = {each.alert_id: number for number, each in enumerate(written)}
    customer = {each.alert_id: each.customer for each in written}
    latest: dict[str, int] = {}
    for message in seen.messages:
        number = place.get(message["id"])
        if number is None:
            yield f"D1 {message['id']} was never written"
            continue
        who = customer[message["id"]]
        if number < latest.get(who, 0):
            yield f"D4 {who}: {written[number].state} was attempted after {written[latest[who]].state}"
        latest[who] = max(number, latest.get(who, 0))
