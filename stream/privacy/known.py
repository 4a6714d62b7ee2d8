"""All that is known of one customer: the records of every topic and the rows of every store, as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import Any

import msgspec
from confluent_kafka import Message

from stream.config.settings import Settings
from stream.ops.cluster import message_headers, reader
from stream.privacy.erasure import LocalStores
from stream.privacy.sql_stores import SqlStoreError, sql_store
from stream.privacy.topic_records import records_of


def known_of(
    settings: Settings, customer: str, stores: LocalStores, *, everywhere: bool
) -> tuple[dict[str, Any], list[str]]:
    """Topics (name -> records) and stores (name -> tables -> rows), ready for JSON; and what could not be
    read, in words. `everywhere`: look also in the partitions in which the customer should not be.

    KafkaException, ClusterError: the cluster does not answer or refuses.
    """
    with reader(settings) as consumer:
        found = records_of(settings, consumer, customer, everywhere=everywhere)
    topics = {
        each.topic: [_record(message) for message in each.found] for each in found.values() if each.exists
    }
    kept: dict[str, Any] = {}
    problems: list[str] = []
    for kind, place in (("read store", stores.read_store), ("delivery queue", stores.queue)):
        try:
            if place:
                with sql_store(kind, place) as store:
                    if store is not None:
                        kept[kind] = _readable(store.rows_of(customer))
        except SqlStoreError as error:
            problems.append(f"{kind}: {error}")
    return {"customer": customer, "topics": topics, "stores": kept}, problems


def count_lines(known: dict[str, Any]) -> list[str]:
    """How much there is in each place, in words."""
    lines = [f"{len(records):,} records on {topic}" for topic, records in known["topics"].items()]
    for kind, tables in known["stores"].items():
        lines += [f"{len(rows):,} rows in {table} of the {kind}" for table, rows in tables.items()]
    return lines


def _record(message: Message) -> dict[str, Any]:
    return {
        "partition": message.partition(),
        "offset": message.offset(),
        "at_ms": message.timestamp()[1],
        "key": _readable(message.key()),
        "headers": [[name, _readable(value)] for name, value in message_headers(message)],
        "value": _parsed(message.value()),
    }


def json_text(known: dict[str, Any], indent: int | None = None) -> str:
    """What is known as one JSON document, which every program can read, whatever the records hold."""
    return json.dumps(known, ensure_ascii=False, indent=indent, allow_nan=False)


def _parsed(value: bytes | None) -> Any:
    """JSON as it is; anything else as text."""
    return _readable(value) if value is None else _of_json(value, _readable)


def _of_json(text: bytes | str, otherwise: Callable[[Any], Any]) -> Any:
    """Strictly: Python's own decoder takes NaN, 1e999 and halves of surrogate pairs, which other programs and
    files do not."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return otherwise(text)


def _readable(value: Any) -> Any:
    """Bytes as JSON can hold them: parsed, as text, or as hexadecimal digits."""
    if isinstance(value, dict):
        return {name: _readable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(each) for each in value]
    if not isinstance(value, bytes | bytearray | memoryview):
        return str(value) if isinstance(value, float) and not isfinite(value) else value
    try:
        text = bytes(value).decode()
    except UnicodeDecodeError:
        return "hex:" + bytes(value).hex()
    return _of_json(text, str) if text[:1] in {"{", "["} else text
