import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from msgspec import Struct

from stream.core.events.event import CustomerErased, Event
from stream.wire import STRUCTURED_HEADERS, decode, encode_alert, encode_event, encode_event_binary
from tests.support.narrow import not_none
from tests.support.poison import GOOD, KEY, purchase


@pytest.fixture
def event() -> Event:
    decoded = decode("purchases", KEY, GOOD)
    assert isinstance(decoded, Event)
    return decoded


def test_an_event_is_equal_after_encoding_and_decoding_in_both_modes(event):
    headers, data = encode_event_binary(event)

    assert decode("purchases", KEY, encode_event(event), STRUCTURED_HEADERS) == event
    assert decode("purchases", KEY, data, headers) == event
    assert decode("purchases", KEY, encode_event(event)) == event


def test_an_event_without_data_is_a_null_value_in_binary_mode():
    erased = CustomerErased(id="e", source="/s", subject="cust-42", time=datetime(2026, 3, 1, tzinfo=UTC))
    headers, data = encode_event_binary(erased)

    assert data is None
    assert decode("control", KEY, data, headers) == erased


def test_microseconds_and_offsets_survive():
    when = datetime(2026, 3, 1, 10, 4, 5, 123_456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    erased = CustomerErased(id="e", source="/s", subject="cust-42", time=when)

    for value, headers in [(encode_event(erased), []), encode_event_binary(erased)[::-1]]:
        assert decode("control", KEY, value, headers) == erased


def test_the_cloudevents_sdk_reads_what_we_write(event):
    binary_headers, binary_value = encode_event_binary(event)
    for headers, value in [
        (dict(STRUCTURED_HEADERS), encode_event(event)),
        (dict(binary_headers), not_none(binary_value)),
    ]:
        message = sdk.KafkaMessage(headers=headers, key=KEY, value=value)

        read = sdk.from_kafka_event(message)

        assert (read.get_id(), read.get_type()) == ("01J8ZK3", "purchase.completed")
        assert (read.get_subject(), read.get_source()) == ("cust-42", "/shop/eu")
        assert read.get_time() == event.time
        assert read.get_data() == purchase()["data"]


def test_we_read_what_the_cloudevents_sdk_writes(event):
    attributes = {name: value for name, value in purchase().items() if name != "data"}
    made = CloudEvent(attributes | {"time": event.time}, purchase()["data"])

    for convert in (sdk.to_structured, sdk.to_binary):
        message = convert(made, JSONFormat(), key_mapper=lambda _: KEY)
        assert decode("purchases", KEY, message.value, message.headers) == event


def test_an_alerts_bytes_are_the_same_whatever_the_order_of_its_maps():
    class Alert(Struct):
        facts: dict[str, int]

    one, other = Alert({"a": 1, "b": 2}), Alert({"b": 2, "a": 1})

    assert (
        encode_alert(one)
        == encode_alert(other)
        == json.dumps({"facts": one.facts}, separators=(",", ":")).encode()
    )
