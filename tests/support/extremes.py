"""Events that the contract just allows: each field at the edge of what its type and bounds permit.

The generator reads the types of the events themselves, so a new field or event type is drawn from as well.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nextafter
from random import Random
from typing import Any

import msgspec
from msgspec import inspect as types

from stream.core.events.event import EVENT_TYPES, Event, type_name
from stream.wire import TopicKind

TEXTS = (
    *(
        "c",
        "0",
        "null",
        "NaN",
        '"',
        "\\",
        '{"a":1}',
        "\x01",
        "a\0b",
        "\x7f",
        "\u2028",
        "\ufeff",
        "ü",
        "\u202eevil",
    ),
    *(
        "😀",
        "👩‍👩‍👧‍👦" * 9,
        "e\u0301",
        "Zalgo\u0300\u0301\u0302",
        "😀" * 256,
        "x" * 256,
        "\U0010ffff",
        "  ",
        "\n",
    ),
)
LONG_TEXTS = (
    *("Late, rude, broken. I love it!", "not " * 300 + "good", "!" * 1_500, "GREAT " * 200, "bad. " * 250),
    *(
        "😡" * 400,
        "no 😀 " * 150,
        "a" * 20_000,
        "but " * 250,
        "delivery\n" * 120,
        "never so " * 120 + "happy",
    ),
)
INTEGERS = (0, 1, 2, 255, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**64, 2**70, -1, -(2**63), -(2**70))
FLOATS = (
    0.0,
    5e-324,
    1e-308,
    2.2250738585072014e-308,
    1e-9,
    0.1,
    1.0,
    5.0,
    6.0,
    7.0,
    9.0,
    10.0,
    999.999,
    1e3,
    -1.0,
)
PUBLISHED = ("model.published", "policy.published")
"""They judge by another basis: tests of their own."""
CURRENCIES = ("USD", "JPY", "KWD", "EUR", "XXX", "ZZZ")
FIRST = datetime(1990, 1, 1, tzinfo=UTC)
LAST = datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def extreme_event(random: Random, subject: str, time: datetime) -> tuple[TopicKind, dict[str, Any]]:
    """The topic and the CloudEvents envelope of an event of any type, as a producer would write it."""
    kind: Any = random.choice(list(EVENT_TYPES))
    event_type = random.choice([each for each in EVENT_TYPES[kind] if type_name(each) not in PUBLISHED])
    envelope = _struct(random, types.type_info(event_type))
    envelope |= {"type": type_name(event_type), "subject": subject, "time": time.isoformat()}
    if random.random() < 0.1:
        envelope["id"] = "again"
    return kind, envelope


def extreme_times(random: Random, count: int) -> list[datetime]:
    """Instants of one customer: at the ends of the years allowed, in one instant, or all over."""
    span = LAST - FIRST
    match random.randrange(4):
        case 0:
            return [random.choice((FIRST, LAST)) for _ in range(count)]
        case 1:
            return [FIRST + random.random() * span] * count
        case 2:
            start, step = FIRST + random.random() * span, timedelta(days=random.choice((0.01, 1, 30, 400)))
            return [min(LAST, start + number * step * random.random() * 2) for number in range(count)]
    return [FIRST + random.random() * span for _ in range(count)]


def _struct(random: Random, info: Any) -> dict[str, Any]:
    """A JSON object with the required fields, and each optional one half of the time."""
    found = {}
    for field in info.fields:
        if field.required or random.random() < 0.5:
            found[field.encode_name] = _value(random, field.type)
    return found


def _value(random: Random, info: Any) -> Any:
    match info:
        case types.UnionType():
            return _value(
                random, random.choice([each for each in info.types if not isinstance(each, types.CustomType)])
            )
        case types.NoneType():
            return None
        case types.BoolType():
            return random.random() < 0.5
        case types.LiteralType():
            return random.choice(info.values)
        case types.StrType():
            return _text(random, info)
        case types.IntType():
            return random.choice([each for each in _edges(INTEGERS, info, 1) if _allowed(each, info)])
        case types.FloatType():
            chosen = random.choice([each for each in _edges(FLOATS, info, 0) if _allowed(each, info)])
            return chosen if random.random() < 0.7 else min(chosen * random.random() + 0.5, info.le or 1.0)
        case types.DateTimeType():
            return random.choice(
                (FIRST, LAST, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
            ).isoformat()
        case types.VarTupleType() | types.ListType():
            return [_value(random, info.item_type) for _ in range(random.choice((0, 1, 1, 2, 40)))]
        case types.DictType():
            return {
                _text(random, info.key_type): _value(random, info.value_type)
                for _ in range(random.choice((0, 1, 30)))
            }
        case types.StructType():
            return _struct(random, info)
    raise AssertionError(f"the generator knows no {info}")


def _text(random: Random, info: Any) -> str:
    if info.pattern:
        return random.choice(CURRENCIES)
    if (info.max_length or 0) > 2_048:
        return random.choice(LONG_TEXTS)
    text = random.choice(TEXTS) if random.random() < 0.8 else f"{random.choice(TEXTS)}{random.randrange(99)}"
    return text[: info.max_length] or "x"


def _edges(usual: tuple[Any, ...], info: Any, step: int) -> list[Any]:
    """Usual values, and both sides of each bound."""
    bounds = [each for each in (info.ge, info.gt, info.le, info.lt) if each is not None]
    near = [bound + sign * step for bound in bounds for sign in (-1, 0, 1)] if step else []
    if not step:
        near = [
            beside for bound in bounds for beside in (nextafter(bound, -inf), bound, nextafter(bound, inf))
        ]
    return [*usual, *near]


def _allowed(value: Any, info: Any) -> bool:
    return (
        (info.ge is None or value >= info.ge)
        and (info.gt is None or value > info.gt)
        and (info.le is None or value <= info.le)
        and (info.lt is None or value < info.lt)
    )


def as_bytes(envelope: dict[str, Any]) -> bytes:
    """The envelope as a producer's JSON."""
    return msgspec.json.encode(envelope)


def is_event(event: Any) -> bool:
    """Whether decoding gave an event, not a rejection or an unknown type."""
    return isinstance(event, Event)
