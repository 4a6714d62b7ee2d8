"""`stream dlq redrive --repair`: what stays where it is stays for its true reason."""

from __future__ import annotations

import pytest

from stream.config.settings import Settings
from stream.ops.cluster import HeaderPairs
from stream.ops.dead_letters import DeadLetterRecord
from stream.ops.redrive import Route, route_of
from stream.worker.kafka.topics import topic_names
from tests.support.poison import BINARY, GOOD, GOOD_DATA, KEY, as_bytes, purchase

NAMES = topic_names(Settings())


def repaired(
    value: bytes | None, key: bytes | None, topic: str = NAMES.purchases, headers: HeaderPairs = ()
) -> Route:
    """The route of a dead letter with --repair."""
    place = f"{topic}/0/0"
    letter = DeadLetterRecord(
        *(place, topic, 0, 0, "decode", "schema", "", "1", 0), key, value, headers, cut=False
    )
    return route_of(letter, NAMES, repair=True)


@pytest.mark.parametrize("key", [None, b"somebody"])
def test_where_the_event_itself_is_wrong_that_is_the_reason_and_not_its_key(key):
    route = repaired(as_bytes(purchase(data__total_minor=1.5)), key)

    assert route.obstacle.startswith("schema: Expected `int`, got `float`")


def test_an_event_of_an_unknown_type_with_a_wrong_key_is_named_by_its_type():
    assert repaired(as_bytes(purchase(type="purchase.dreamt")), None).obstacle == (
        "unknown type 'purchase.dreamt'"
    )


def test_without_a_value_there_is_nothing_to_repair_from():
    assert repaired(None, None).obstacle.startswith("null_value: ")


@pytest.mark.parametrize("key", [None, b"somebody"])
def test_a_record_in_binary_mode_is_repaired_from_its_headers(key):
    route = repaired(GOOD_DATA, key, NAMES.feedback, tuple(BINARY))

    assert (route.topic, route.key, route.obstacle) == (NAMES.purchases, KEY, "")


def test_what_is_wrong_with_a_record_in_binary_mode_is_its_own_fault():
    assert repaired(b"{}", None, headers=tuple(BINARY)).obstacle.startswith(
        "schema: Object missing required field"
    )


def test_a_sound_letter_goes_where_it_came_from():
    assert repaired(GOOD, KEY).obstacle == ""
