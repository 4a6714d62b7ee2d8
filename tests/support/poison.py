"""Invalid records of every kind, each with the reason for which it must be rejected; none may stop a worker.

Used by the unit tests of `stream.wire` and, on a real broker, by the worker's tests.
"""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from stream.wire import Reason, TopicKind, partition_of

PARTITION_COUNT = 4
KEY = b"cust-42"
NOW_MS = 1_772_366_645_000
"""2026-03-01T12:04:05Z, two hours after the good event."""


@dataclass(frozen=True)
class Poison:
    """A record and the reason it must be given; `partition` None means where murmur2 puts the key."""

    name: str
    reason: Reason
    value: bytes | None
    key: bytes | None = KEY
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    topic_kind: TopicKind = "purchases"
    partition: int | None = None


def purchase(**changes: Any) -> dict[str, Any]:
    """A good purchase, as a producer's dict; `data__x` changes a field of the data."""
    data = {
        "order_id": "A-1001",
        "total_minor": 2750,
        "currency": "USD",
        "products": [{"product_id": "p1", "quantity": 1, "price_minor": 2750}],
    }
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": "01J8ZK3",
        "source": "/shop/eu",
        "type": "purchase.completed",
        "subject": KEY.decode(),
        "time": "2026-03-01T10:04:05Z",
        "data": data,
    }
    for name, value in changes.items():
        target, name = (data, name[6:]) if name.startswith("data__") else (envelope, name)  # noqa: PLW2901
        target[name] = value
    return envelope


def as_bytes(envelope: dict[str, Any]) -> bytes:
    return json.dumps(envelope, separators=(",", ":")).encode()


GOOD = as_bytes(purchase())
BINARY = [
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"01J8ZK3"),
    ("ce_source", b"/shop/eu"),
    ("ce_type", b"purchase.completed"),
    ("ce_subject", KEY),
    ("ce_time", b"2026-03-01T10:04:05Z"),
]
GOOD_DATA = as_bytes(purchase()["data"])


def total(text: bytes) -> bytes:
    """The good purchase with another spelling of its total."""
    return GOOD.replace(b'"total_minor":2750', b'"total_minor":' + text)


def extra(field_text: bytes) -> bytes:
    """The good purchase with one more field in its envelope."""
    return b"{" + field_text + b"," + GOOD[1:]


def without(name: str, part: str | None = None) -> bytes:
    envelope = purchase()
    del (envelope[part] if part else envelope)[name]
    return as_bytes(envelope)


def binary(**changes: bytes | None) -> list[tuple[str, bytes]]:
    """The binary mode's headers; None leaves one out."""
    headers = dict(BINARY) | {"ce_" + name: value for name, value in changes.items()}
    return [(name, value) for name, value in headers.items() if value is not None]


def labelled(content_type: bytes) -> list[tuple[str, bytes]]:
    return [("content-type", content_type)]


MALFORMED = [
    Poison("invalid JSON", Reason.INVALID_JSON, b"{'id': 1}"),
    Poison("plain text", Reason.INVALID_JSON, b"hello"),
    Poison("truncated JSON", Reason.INVALID_JSON, GOOD[:-20]),
    Poison("two documents", Reason.INVALID_JSON, GOOD + GOOD),
    Poison("0 bytes", Reason.EMPTY_VALUE, b""),
    Poison("null value", Reason.NULL_VALUE, None),
    Poison("NUL bytes", Reason.INVALID_JSON, bytes(64)),
    Poison("byte order mark", Reason.INVALID_JSON, b"\xef\xbb\xbf" + GOOD),
    Poison("UTF-16", Reason.INVALID_JSON, GOOD.decode().encode("utf-16")),
    Poison("NaN", Reason.INVALID_JSON, total(b"NaN")),
    Poison("Infinity", Reason.INVALID_JSON, total(b"-Infinity")),
    Poison("NaN in an unknown field", Reason.INVALID_JSON, extra(b'"x":NaN')),
    Poison("lone surrogate", Reason.INVALID_JSON, GOOD.replace(b"A-1001", b"\\ud800")),
    Poison("lone surrogate in an unknown field", Reason.INVALID_JSON, extra(b'"x":"\\udc00"')),
    Poison("not UTF-8", Reason.NOT_UTF8, GOOD.replace(b"A-1001", b"\xff\xfe")),
    Poison("not UTF-8 in an unknown field", Reason.NOT_UTF8, extra(b'"x":"\xff"')),
    Poison("surrogate as UTF-8", Reason.NOT_UTF8, GOOD.replace(b"A-1001", b"\xed\xa0\x80")),
    Poison("Latin-1", Reason.NOT_UTF8, GOOD.replace(b"A-1001", "Käse".encode("latin-1"))),
    Poison("gzip", Reason.COMPRESSED, gzip.compress(GOOD, mtime=0)),
    Poison("gzip bomb", Reason.COMPRESSED, gzip.compress(bytes(5_000_000), mtime=0)),
    Poison("zstd", Reason.COMPRESSED, b"\x28\xb5\x2f\xfd" + bytes(9)),
    Poison("a protobuf", Reason.INVALID_JSON, b"\x0a\x07cust-42\x10\x96\x01"),
    Poison("Schema Registry framing", Reason.INVALID_JSON, b"\x00\x00\x00\x00\x07" + GOOD),
]

HUGE = [
    Poison("one byte over 1 MiB", Reason.TOO_LARGE, GOOD + b" " * (1_048_577 - len(GOOD))),
    Poison("5 MB", Reason.TOO_LARGE, as_bytes(purchase(padding="x" * 5_000_000))),
    Poison("depth 5000, arrays", Reason.TOO_DEEP, extra(b'"x":' + b"[" * 5000 + b"]" * 5000)),
    Poison("depth 5000, objects", Reason.TOO_DEEP, extra(b'"x":' + b'{"x":' * 5000 + b"0" + b"}" * 5000)),
    Poison("depth 500000", Reason.TOO_DEEP, extra(b'"x":' + b"[" * 500_000 + b"]" * 500_000)),
    Poison("depth 65", Reason.TOO_DEEP, extra(b'"x":' + b"[" * 64 + b"]" * 64)),
    Poison(
        "depth 65 beside brackets in a text",
        Reason.TOO_DEEP,
        extra(b'"y":"]]]","x":' + b"[" * 64 + b"]" * 64),
    ),
]

MISTYPED = [
    Poison("an array", Reason.SCHEMA, b"[1]"),
    Poison("null", Reason.SCHEMA, b"null"),
    Poison("no id", Reason.SCHEMA, without("id")),
    Poison("no time", Reason.SCHEMA, without("time")),
    Poison("no type", Reason.SCHEMA, without("type")),
    Poison("no data", Reason.SCHEMA, without("data")),
    Poison("no order", Reason.SCHEMA, without("order_id", "data")),
    Poison("type is a number", Reason.SCHEMA, as_bytes(purchase(type=7))),
    Poison("specversion 0.3", Reason.SCHEMA, as_bytes(purchase(specversion="0.3"))),
    Poison("empty id", Reason.SCHEMA, as_bytes(purchase(id=""))),
    Poison("endless id", Reason.SCHEMA, as_bytes(purchase(id="x" * 257))),
    Poison("time without zone", Reason.SCHEMA, as_bytes(purchase(time="2026-03-01T10:04:05"))),
    Poison("time as a number", Reason.SCHEMA, as_bytes(purchase(time=1_772_359_445))),
    Poison("30 February", Reason.SCHEMA, as_bytes(purchase(time="2026-02-30T10:04:05Z"))),
    Poison("float money", Reason.SCHEMA, total(b"27.50")),
    Poison("whole float money", Reason.SCHEMA, total(b"2750.0")),
    Poison("exponent money", Reason.SCHEMA, total(b"2e3")),
    Poison("1e400", Reason.SCHEMA, total(b"1e400")),
    Poison("2^70", Reason.SCHEMA, total(b"1180591620717411303424")),
    Poison("2^53", Reason.SCHEMA, total(b"9007199254740992")),
    Poison("bool as money", Reason.SCHEMA, total(b"true")),
    Poison("text as money", Reason.SCHEMA, total(b'"2750"')),
    Poison("null money", Reason.SCHEMA, total(b"null")),
    Poison("negative money", Reason.SCHEMA, total(b"-1")),
    Poison("currency in words", Reason.SCHEMA, as_bytes(purchase(data__currency="dollars"))),
    Poison("currency with line feed", Reason.SCHEMA, as_bytes(purchase(data__currency="USD\n"))),
    Poison("products as an object", Reason.SCHEMA, as_bytes(purchase(data__products={}))),
    Poison("a __faust record", Reason.SCHEMA, b'{"__faust":{"ns":"@ReqRepRequest"},"value":1}'),
    Poison("quantity 0", Reason.SCHEMA, GOOD.replace(b'"quantity":1', b'"quantity":0')),
]

REPEATED = [
    Poison("id twice", Reason.DUPLICATE_FIELD, extra(b'"id":"other"')),
    Poison("subject twice", Reason.DUPLICATE_FIELD, extra(b'"subject":"cust-7"')),
    Poison("subject twice, once escaped", Reason.DUPLICATE_FIELD, extra(b'"\\u0073ubject":"cust-7"')),
    Poison("type twice", Reason.DUPLICATE_FIELD, extra(b'"type":"purchase.completed"')),
    Poison("specversion twice", Reason.DUPLICATE_FIELD, extra(b'"specversion":"1.0"')),
    Poison("total twice", Reason.DUPLICATE_FIELD, total(b'1,"total_minor":2750')),
    Poison(
        "price twice", Reason.DUPLICATE_FIELD, GOOD.replace(b'"quantity":1', b'"quantity":1,"quantity":9')
    ),
    Poison("an unknown field twice", Reason.DUPLICATE_FIELD, extra(b'"x":1,"x":2')),
    Poison(
        "id twice, no specversion", Reason.DUPLICATE_FIELD, b'{"id":"other",' + without("specversion")[1:]
    ),
    Poison(
        "id twice behind escaped quotes",
        Reason.DUPLICATE_FIELD,
        b'{"id":1,"id":"\\u0022\\u0022",' + without("id")[1:],
    ),
]

MISPLACED = [
    Poison("null key", Reason.MISSING_KEY, GOOD, key=None),
    Poison("empty key", Reason.MISSING_KEY, GOOD, key=b""),
    Poison("another customer's key", Reason.KEY_MISMATCH, GOOD, key=b"cust-7"),
    Poison("a key that is not UTF-8", Reason.KEY_MISMATCH, GOOD, key=b"\xff"),
    Poison("a __faust key", Reason.KEY_MISMATCH, GOOD, key=b'{"__faust":{"ns":"app.Key"}}'),
    Poison("a key in JSON quotes", Reason.KEY_MISMATCH, GOOD, key=b'"cust-42"'),
    Poison("wrong partition", Reason.WRONG_PARTITION, GOOD, partition=(partition_of(KEY, 4) + 1) % 4),
    Poison("wrong topic", Reason.WRONG_TOPIC, GOOD, topic_kind="feedback"),
    Poison("wrong topic, binary", Reason.WRONG_TOPIC, GOOD_DATA, headers=BINARY, topic_kind="control"),
]


def answer(**data: Any) -> bytes:
    survey = {"response_id": "r1", "survey": {"id": "s", "kind": "nps"}} | data
    return as_bytes(purchase(type="feedback.survey_answered", data=survey))


def review(**data: Any) -> bytes:
    return as_bytes(purchase(type="feedback.reviewed", data={"review_id": "r1"} | data))


OUT_OF_SCALE = [
    Poison(name, Reason.SCHEMA, value, topic_kind="feedback")
    for name, value in (
        ("a score beyond floats over its maximum", answer(score=10, score_max=1e-308)),
        ("nps 11", answer(score=11)),
        ("csat 6", answer(score=6, survey={"id": "s", "kind": "csat"})),
        ("a rating of no stars", review(rating=0, rating_max=5)),
        ("a rating above a tiny maximum", review(rating=10, rating_min=0, rating_max=5e-324)),
    )
]

MISNAMED = [
    Poison(
        "an id that is a worker's own",
        Reason.SCHEMA,
        as_bytes(purchase(subject="\0model")),
        key=b"\0model",
    ),
]

MISTIMED = [
    Poison("the year 2090", Reason.TIME_IN_FUTURE, as_bytes(purchase(time="2090-01-01T00:00:00Z"))),
    Poison("the year 2100", Reason.TIME_OUT_OF_RANGE, as_bytes(purchase(time="2100-01-01T00:00:00Z"))),
    Poison("the year 1", Reason.TIME_OUT_OF_RANGE, as_bytes(purchase(time="0001-01-01T00:00:00+23:59"))),
    Poison("1970", Reason.TIME_OUT_OF_RANGE, as_bytes(purchase(time="1970-01-01T00:00:00Z"))),
    Poison("the year 9999", Reason.TIME_OUT_OF_RANGE, as_bytes(purchase(time="9999-12-31T23:59:59Z"))),
]

MISLABELLED = [
    Poison("XML", Reason.CONTENT_TYPE, b"<order/>", headers=labelled(b"application/xml")),
    Poison("Avro", Reason.CONTENT_TYPE, b"Obj\x01", headers=labelled(b"application/cloudevents+avro")),
    Poison("a batch", Reason.CONTENT_TYPE, b"[]", headers=labelled(b"application/cloudevents-batch+json")),
    Poison("binary without id", Reason.SCHEMA, GOOD_DATA, headers=binary(id=None)),
    Poison("binary without specversion", Reason.SCHEMA, GOOD_DATA, headers=binary(specversion=None)),
    Poison("binary with a bad time", Reason.SCHEMA, GOOD_DATA, headers=binary(time=b"yesterday")),
    Poison("binary, not UTF-8", Reason.NOT_UTF8, GOOD_DATA, headers=binary(source=b"\xff")),
    Poison(
        "binary with ce_id twice", Reason.DUPLICATE_FIELD, GOOD_DATA, headers=[*BINARY, ("ce_id", b"other")]
    ),
    Poison("binary with null value", Reason.NULL_VALUE, None, headers=BINARY),
    Poison("binary with an envelope inside", Reason.SCHEMA, GOOD, headers=BINARY),
    Poison(
        "binary, a field twice",
        Reason.DUPLICATE_FIELD,
        b'{"coupon":"a","coupon":"b",' + GOOD_DATA[1:],
        headers=BINARY,
    ),
    Poison(
        "binary, structured content-type",
        Reason.SCHEMA,
        GOOD_DATA,
        headers=[("content-type", b"application/cloudevents+json; charset=UTF-8"), *BINARY[1:]],
    ),
]

POISON: list[Poison] = [
    *MALFORMED,
    *HUGE,
    *MISTYPED,
    *REPEATED,
    *MISPLACED,
    *MISNAMED,
    *OUT_OF_SCALE,
    *MISTIMED,
    *MISLABELLED,
]

HARMLESS: list[tuple[str, bytes, list[tuple[str, bytes]]]] = [
    ("reply to", GOOD, [("Faust-Ag-ReplyTo", b"attacker"), ("Faust-Ag-CorrelationId", b"1")]),
    ("blessed key", extra(b'"__faust":{"ns":"@ReqRepRequest"}'), []),
    ("trace context", GOOD, [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]),
    ("ce_ headers beside a structured value", GOOD,
     [("content-type", b"application/cloudevents+json; charset=UTF-8"), *BINARY[1:]]),
    ("plain JSON", GOOD, [("content-type", b"application/json")]),
    ("binary", GOOD_DATA, BINARY),
    ("binary without content-type", GOOD_DATA, BINARY[1:]),
    ("extensions", extra(b'"partitionkey":"cust-42","dataschema":"/schemas/purchase.completed/1"'), []),
    ("unknown deep field", extra(b'"x":' + b"[" * 63 + b"]" * 63), []),
    ("2^70 in an unknown field", extra(b'"x":1180591620717411303424'), []),
    ("1e400 in an unknown field", extra(b'"x":1e400'), []),
    ("the same name in two objects", extra(b'"x":{"id":1},"y":{"id":2}'), []),
    ("pretty printed", json.dumps(purchase(), indent=2).encode(), []),
    ("empty products", as_bytes(purchase(data__products=[])), []),
    ("an escaped quote", GOOD.replace(b"A-1001", b'A\\u00221001\\"'), []),
    ("five minutes ahead", as_bytes(purchase(time="2026-03-01T12:09:05Z")), []),
    ("exactly 1 MiB", GOOD + b" " * (1_048_576 - len(GOOD)), []),
]  # fmt: skip
"""Records that look odd and are good events of the customer KEY on the purchases topic."""
