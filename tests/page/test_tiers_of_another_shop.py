"""A model that was learnt on other customers may call nearly everybody the best: every page says so."""

import pytest

from stream.page.entries import CustomerEntry
from stream.page.screens.digest import digest, digest_text
from stream.page.screens.unlike_tiers import tiers_unlike
from stream.page.screens.view import View
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.digest_page import digest_page
from stream.page.web.server import DashboardServer
from tests.support.builders import basis
from tests.support.dashboard_pages import got
from tests.support.page_entries import NOW_MS


def customer(number: int, tier: int) -> CustomerEntry:
    return CustomerEntry(
        f"c{number}",
        tier,
        -1,
        0,
        "loyal",
        0.2,
        0.0,
        100,
        "USD",
        100,
        1,
        0,
        0,
        "",
        "",
        "",
        "",
        "",
        NOW_MS,
        2,
        3,
    )


@pytest.fixture
def stored(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")

    def of(tiers):
        batch = Batch()
        batch.customers += [customer(number, tier) for number, tier in enumerate(tiers)]
        store.write(batch)
        return store

    yield of
    store.close()


VIEW = View(basis(), NOW_MS, "a test", True)


@pytest.mark.parametrize(
    ("tiers", "warned"),
    [
        ([3] * 860 + [0] * 140, True),
        ([3] * 160 + [0] * 840, True),
        ([3] * 140 + [0] * 860, False),  # tiers are kept for a while: some more than meant are usual
        ([3] * 100, False),  # too few to say
        ([-1] * 900 + [3] * 100 + [0] * 900, False),  # who is not ranked counts nowhere
        ([], False),
    ],
)
def test_it_warned_where_several_times_as_many_are_of_the_highest_tier_as_is_meant(stored, tiers, warned):
    with stored(tiers).reading() as reading:
        assert bool(tiers_unlike(reading, VIEW)) == warned


async def test_it_stands_on_top_of_every_page(stored):
    server = DashboardServer(stored([3] * 860 + [0] * 140), VIEW)
    address = await server.start("127.0.0.1", 0)
    try:
        for path in ("", "customers", "map", "policy", "kept", "customer?id=c1"):
            text = (await got(address, path))[2]
            assert "860 of 1,000 customers are platinum, where the best 5" in text, path
    finally:
        await server.close()


def test_a_digest_says_it_first(stored):
    with stored([3] * 860 + [0] * 140).reading() as reading:
        found = digest(reading, VIEW)

    assert "do not fit this shop: 860 of 1,000" in digest_text(found).split("Loyal")[0]
    assert "860 of 1,000" in digest_page(found)
