"""Nothing that a producer writes is taken for a record of ours; records of strangers are told and skipped."""

import json

import pytest

from stream.ops import redrive as redriving
from stream.ops.dead_letters import MARKER, REDRIVEN_FROM
from tests.support.kafka_shop import KafkaShop, bury, redriven_ids, repaired_event

pytestmark = pytest.mark.kafka


def put(shop: KafkaShop, topic: str, value: bytes | None, *headers: tuple[str, bytes | None]) -> None:
    """A record of a stranger, without a key."""
    client = shop.producer()
    client.produce(topic, value, None, 0, headers=list(headers))
    assert client.flush(10) == 0


def marker_for(letter_id: str, kind: str = "done", **more: object) -> bytes:
    return json.dumps({"kind": kind, "ids": [letter_id], **more}).encode()


def open_ids(shop: KafkaShop) -> list[str]:
    return [row["id"] for row in shop.run_json("dlq", "list")[1]["letters"] if not row["redriven"]]


def test_a_producers_marker_header_hides_no_dead_letter(shop):
    """The worker rejects a record that looks like a marker: it is a dead letter, whatever it says."""
    hidden = bury(shop, 1, repaired_event(1), b"cust-1")
    attack = bury(shop, 2, marker_for(hidden), None, headers=[(MARKER, b"done")])

    assert sorted(open_ids(shop)) == sorted([hidden, attack])
    assert shop.run_json("dlq", "redrive", hidden)[1]["sent"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "__connect.errors.topic", "__connect.errors.partition", "__connect.errors.offset", "x-dlq-id",
        "x-dlq-reason", "x-dlq-marker", "x-dlq-redriven-from", "x-dlq-redrive-run",
        "x-dlq-truncated-value-bytes", "x-dlq-dropped-headers", "x-original.traceparent", "epoch",
    ],
)  # fmt: skip
def test_a_redriven_record_has_the_producers_headers_unchanged(shop, name):
    given = [(name, b"mine"), ("traceparent", b"00-1"), (name, b"again"), ("none", None), ("empty", b"")]
    letter = bury(shop, 1, repaired_event(1), b"cust-1", headers=given)

    (row,) = shop.run_json("dlq", "list")[1]["letters"]
    assert (row["id"], row["reason"], row["redriven"]) == (letter, "schema", False)
    assert shop.run_json("dlq", "redrive", letter)[1]["sent"] == 1

    (message,) = shop.all_of("purchases")
    assert message.headers()[: len(given)] == given
    assert message.headers()[len(given)] == (REDRIVEN_FROM, letter.encode())


FOREIGN: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
    (b"not json", [(MARKER, b"done")]),
    (None, [(MARKER, b"done")]),
    (b'{"kind":"done","ids":7}', [(MARKER, b"done")]),
    (b'{"kind":"intent","ids":[],"ends":{"no.such.topic":{"0":-1}}}', [(MARKER, b"intent")]),
    (b'{"kind":"intent","ids":["x"],"ends":{"no.such.topic":{"0":1}}}', [(MARKER, b"intent")]),
    (b"[" * 100_000, [(MARKER, b"intent")]),
    (b"x", [("__connect.errors.topic", b"t")]),
    (b"x", [("__connect.errors.topic", None)]),
    (b"x", [(f"__connect.errors.{name}", b"9" * 5_000) for name in ("topic", "partition", "offset")]),
    (b"x", [("__connect.errors.topic", b"t"), ("__connect.errors.partition", b"one")]),
    (b"x", []),
    (None, []),
    (b"\xff", [("x-dlq-id", b"\xff"), ("x-dlq-reason", b"\xff")]),
]


def test_records_of_strangers_are_told_and_skipped(shop):
    mine = bury(shop, 1, repaired_event(1), b"cust-1")
    for value, headers in FOREIGN:
        put(shop, shop.names.deadletter, value, *headers)

    listed = shop.run("dlq", "list")
    assert listed.exit_code == 0
    assert "are not ours and were skipped" in listed.stderr
    assert "the first: partition 0 offset" in listed.stderr
    code, report = shop.run_json("dlq", "list")
    assert (code, report["total"], [row["id"] for row in report["letters"]]) == (0, 1, [mine])
    assert report["foreign"] >= 10
    assert shop.run("dlq", "show", mine).exit_code == 0
    assert shop.run("doctor", "--json").exit_code in {0, 1}
    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == 1
    assert redriven_ids(shop) == [mine]


def test_a_producer_cannot_claim_that_a_dead_letter_was_sent(shop, monkeypatch):
    """After an interrupted run the input topics say what arrived. Any producer writes there."""
    letter = bury(shop, 1, repaired_event(1), b"cust-1")

    def crash_before_the_letter(client, route):
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(redriving, "_produce", crash_before_the_letter)
        assert shop.run("dlq", "redrive", "--all").exit_code == 1
    put(shop, shop.names.purchases, b"forged", (REDRIVEN_FROM, letter.encode()))

    code, report = shop.run_json("dlq", "redrive", "--all")

    assert (code, report["sent"]) == (0, 1)


EVIL = "a\x1b]0;owned\x07b\x9b2Jc\u202ed\r\nForged: line"


def test_a_customers_text_reaches_no_terminal_as_it_is(shop):
    given = [(EVIL, EVIL.encode())]
    letter = bury(shop, 1, EVIL.encode(), EVIL.encode(), reason=EVIL, headers=given)

    for words in (("dlq", "list"), ("dlq", "show", letter), ("dlq", "redrive", "--all"), ("doctor",)):
        shown = shop.run(*words).output
        assert shown
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"}.intersection(shown), words
        assert not [line for line in shown.splitlines() if line.startswith("Forged")], words
    assert shop.run_json("dlq", "show", letter)[1]["key"] == EVIL
