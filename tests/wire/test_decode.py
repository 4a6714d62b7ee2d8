import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import CustomerErased, Event, PurchaseCompleted
from stream.wire import Reason, Rejected, Unknown, decode, decode_line, encode_event, partition_of
from tests.support.poison import (
    BINARY,
    GOOD,
    HARMLESS,
    KEY,
    NOW_MS,
    PARTITION_COUNT,
    POISON,
    Poison,
    as_bytes,
    extra,
    purchase,
)

HOME = partition_of(KEY, PARTITION_COUNT)


def decode_at_home(value, headers=(), topic_kind="purchases"):
    return decode(
        topic_kind, KEY, value, headers, partition=HOME, partition_count=PARTITION_COUNT, now_ms=NOW_MS
    )


@pytest.mark.parametrize("poison", POISON, ids=lambda poison: poison.name)
def test_poison_is_rejected_for_its_reason(poison: Poison):
    home = partition_of(poison.key, PARTITION_COUNT) if poison.key else 0

    decoded = decode(
        poison.topic_kind,
        poison.key,
        poison.value,
        poison.headers,
        partition=home if poison.partition is None else poison.partition,
        partition_count=PARTITION_COUNT,
        now_ms=NOW_MS,
    )

    assert isinstance(decoded, Rejected)
    assert decoded.reason is poison.reason


@pytest.mark.parametrize(("value", "headers"), [h[1:] for h in HARMLESS], ids=[h[0] for h in HARMLESS])
def test_harmless_oddities_are_events(value, headers):
    for spelling in (headers, tuple(headers), dict(headers)):
        assert isinstance(decode_at_home(value, spelling), PurchaseCompleted)


def test_every_reason_has_a_poison():
    of_batches = {Reason.BATCH_TOO_LARGE, Reason.BATCH_DAMAGED}  # tests/worker/test_bombs.py

    assert {poison.reason for poison in POISON} == set(Reason) - of_batches


def test_no_detail_repeats_what_the_producer_wrote():
    secret = "jane.doe@example.com"
    for changes in (
        {"specversion": secret},
        {"time": secret},
        {"data__fault": secret, "type": "purchase.refunded"},
        {"data__currency": secret},
        {"subject": secret},
    ):
        decoded = decode_at_home(as_bytes(purchase(**changes)))

        assert isinstance(decoded, Rejected)
        assert secret not in decoded.detail


def test_a_rejection_names_the_field_and_what_was_expected():
    decoded = decode_at_home(as_bytes(purchase(data__total_minor=27.5)))

    assert decoded == Rejected(Reason.SCHEMA, "Expected `int`, got `float` - at `$.data.total_minor`")


@pytest.mark.parametrize("topic_kind", ["purchases", "control"])
def test_an_unknown_type_is_ignored_and_named(topic_kind):
    new = as_bytes(purchase(type="purchase.gifted", data={"to": "cust-7"}))

    assert decode_at_home(new, topic_kind=topic_kind) == Unknown("purchase.gifted")
    assert decode_at_home(b"{}", [*BINARY[:4], ("ce_type", b"new.one"), *BINARY[5:]]) == Unknown("new.one")


@pytest.mark.parametrize(
    "value",
    [
        b'{"type":"track","event":"Order Completed","messageId":"m1","userId":"u1"}',
        b'{"id":"evt_1","object":"event","created":1719835200,"type":"charge.succeeded","data":{}}',
        b'{"type":"order","customer":"c1","date":"2026-01-02","total":"20.00"}',
        as_bytes(purchase(type="purchase.gifted", specversion="2.0")),
        as_bytes(purchase(type="purchase.gifted", time="yesterday")),
    ],
    ids=["segment", "stripe", "a row of an export", "another version", "no time"],
)
def test_an_unknown_type_without_an_envelope_is_rejected_as_in_binary_mode(value):
    """What is no event of a newer version either: never ignored without a word."""
    assert decode_at_home(value).reason is Reason.SCHEMA
    assert decode_line(value).reason is Reason.SCHEMA  # type: ignore[union-attr]


def test_binary_and_structured_mode_are_the_same_event():
    assert decode_at_home(as_bytes(purchase()["data"]), BINARY) == decode_at_home(GOOD)


def test_an_erasure_needs_no_data_in_either_mode():
    envelope = purchase(type="customer.erased")
    del envelope["data"]
    headers = [*BINARY[:4], ("ce_type", b"customer.erased"), *BINARY[5:]]

    structured = decode_at_home(as_bytes(envelope), topic_kind="control")

    assert isinstance(structured, CustomerErased)
    assert decode_at_home(None, headers, topic_kind="control") == structured


def test_ticks_and_models_go_to_every_partition():
    tick = as_bytes(purchase(type="clock.ticked", data={}))

    for partition in range(PARTITION_COUNT):
        decoded = decode("control", KEY, tick, partition=partition, partition_count=PARTITION_COUNT)
        assert isinstance(decoded, Event)


def test_without_a_clock_no_time_is_too_early():
    future = as_bytes(purchase(time="2099-12-31T23:59:59Z"))

    assert isinstance(decode("purchases", KEY, future), PurchaseCompleted)
    assert isinstance(decode_line(future), PurchaseCompleted)
    assert decode_line(future, now_ms=NOW_MS).reason is Reason.TIME_IN_FUTURE  # type: ignore[union-attr]


def test_a_line_of_a_file_may_be_of_any_topic():
    assert isinstance(decode_line(GOOD), PurchaseCompleted)
    assert isinstance(decode_line(as_bytes(purchase(type="customer.erased", data={}))), CustomerErased)
    assert decode_line(as_bytes(purchase(type="else"))) == Unknown("else")
    assert decode_line(b"").reason is Reason.EMPTY_VALUE  # type: ignore[union-attr]


@given(st.binary(max_size=300), st.binary(max_size=20), st.lists(st.tuples(st.text(), st.binary())))
def test_no_bytes_raise(value, key, headers):
    assert isinstance(decode("feedback", key, value, headers), Event | Unknown | Rejected)
    assert isinstance(decode("purchases", key, value, BINARY), Event | Unknown | Rejected)


@given(st.data())
def test_no_damage_to_a_good_event_raises(data):
    value = bytearray(extra(b'"x":["\\u00e9",{"y":1e3}]'))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(value)))
        value[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))

    assert isinstance(decode_at_home(bytes(value)), Event | Unknown | Rejected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*purchase(), *purchase()["data"], "x"]), JSON))
def test_no_json_raises(changes):
    assert isinstance(decode_at_home(json.dumps(purchase() | changes).encode()), Event | Unknown | Rejected)


@given(st.text(min_size=1, max_size=20), st.text(max_size=20), st.booleans(), st.booleans())
def test_unknown_fields_never_change_an_event_and_repeated_ones_never_pass(name, text, ascii_only, repeated):
    line = json.dumps({name + "!": text, '"': text}, ensure_ascii=ascii_only).encode()
    good = GOOD if not repeated else extra(b'"specversion":"1.0"')

    decoded = decode_at_home(line[:-1] + b"," + good[1:])

    if repeated:
        assert isinstance(decoded, Rejected)
        assert decoded.reason is Reason.DUPLICATE_FIELD
    else:
        assert isinstance(decoded, PurchaseCompleted)
        assert encode_event(decoded) == encode_event(decode_at_home(GOOD))


SPELLINGS = (
    b'"discount_minor":0',
    b'"discount_minor" : 0',
    b'"discount_minor":5',
    b'"is_gift":false',
    b'"is_gift":true',
    b'"coupon":null',
    b'"coupon":"a"',
    b'"x":{"coupon":null}',
    b'"x":"\\"coupon\\":null"',
)


@given(st.lists(st.sampled_from(SPELLINGS), max_size=4))
def test_a_default_value_may_be_sent_once_and_never_twice(members):
    start = GOOD.index(b'"data":{') + len(b'"data":{')

    decoded = decode_at_home(GOOD[:start] + b"".join(member + b"," for member in members) + GOOD[start:])

    names = [member.split(b":")[0].strip() for member in members]
    if len(set(names)) == len(names):
        assert isinstance(decoded, PurchaseCompleted)
    else:
        assert isinstance(decoded, Rejected)
        assert decoded.reason is Reason.DUPLICATE_FIELD
