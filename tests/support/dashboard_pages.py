"""Pages of the dashboard over HTTP, the texts that try to break them, and what a read store holds."""

import aiohttp
import msgspec

from stream.core.facts.profile import Profile
from stream.page.entries import unpacked
from stream.page.store.tables import TABLES
from stream.worker.rows.stored import read_profile

HOSTILE = [
    "<script>alert(1)</script>",
    "\"' onmouseover=alert(1) x='",
    "a\u202egnp.exe",
    "nul\0nul",
    "x" * 10_000,
    "=cmd|'/c calc'!A1",
    "ünïcode 顧客 ✓",
    "{{ 7 * 7 }}",
    "a b&c=d#e?f/g",
]


async def got(address, path="", **more):
    address = address + path if isinstance(address, str) else address
    async with aiohttp.ClientSession() as session, session.get(address, **more) as answer:
        return answer.status, dict(answer.headers), await answer.text()


def renamed(line, name):
    profile = msgspec.json.decode(line, type=Profile)
    profile.customer = name
    profile.identity.campaign = profile.identity.country = profile.identity.channel = name
    return profile


def stored_profile(reading, customer):
    """The profile of a customer in a read store."""
    (body,) = reading.one("SELECT body FROM profiles WHERE customer = ?", [customer])
    return read_profile(unpacked(bytes(body)))


def contents(store):
    with store.reading() as reading:
        found = {table.name: sorted(reading.rows(f"SELECT * FROM {table.name}")) for table in TABLES}
    return {**found, "open_cells": [*map(without_order, found["open_cells"])]}


def without_order(row):
    """A row whose sums are as they are in whatever order they were added."""
    return tuple(float(f"{each:.6g}") if isinstance(each, float) else each for each in row)
