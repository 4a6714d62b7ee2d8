"""Counts that are kept up with the rows are those of a count from scratch, whatever is written when."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.page.cells import COUNTED_BY, RISK_ENDS, STEPS, risk_band, value_step
from stream.page.entries import OUR_FAULT, CustomerEntry, UnseenEntry
from stream.page.live.rounds import Rounds
from stream.page.remarks import MuteEntry
from stream.page.screens.counts import counted, currencies, customers_known, open_counted
from stream.page.screens.customer_filters import customers_filters
from stream.page.screens.value_map import value_map
from stream.page.sources.fill import fill
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.store.tables import KNOWN_MINOR, OPEN_SUMS, TABLES
from tests.support.builders import basis
from tests.support.page_entries import opened
from tests.support.read_stores import read_store

NAMES = st.sampled_from(["a", "b", "c", "nul\0nul", "d"])


@st.composite
def customers(draw):
    orders = draw(st.integers(0, 2))
    value_minor = draw(st.sampled_from([-1, 0, 99, 100, 5_600, 10**12])) if orders else 0
    risk = draw(st.sampled_from([0.0, 0.2, 0.39999, 0.4, 1.0])) if orders else 0.0
    currency = draw(st.sampled_from(["EUR", "JPY"])) if orders else ""
    kinds = draw(st.sampled_from(["", "churn_risk", "at_risk_loyal churn_risk"]))
    return CustomerEntry(
        draw(NAMES), draw(st.integers(-1, 1)), 0, 0, "loyal", risk, 0.0, value_minor, currency, 5, orders, 1,
        1, "", "", "", kinds, "", 1, risk_band(risk), value_step(orders, value_minor),
    )  # fmt: skip


def different(found):
    return list({entry.customer: entry for entry in found}.values())


@st.composite
def alerts(draw, customer):
    stake = draw(st.sampled_from([-1, 0, 7_001, 10**12]))
    currency, kind = (
        draw(st.sampled_from(["EUR", "JPY"])),
        draw(st.sampled_from(["churn_risk", "at_risk_loyal"])),
    )
    tier = draw(st.integers(0, 1))
    return opened(customer, max(0, stake), currency=currency, kind=kind, tier=tier, stake_minor=stake)


@st.composite
def batches(draw):
    put = different(draw(st.lists(customers(), max_size=4)))
    names = {entry.customer for entry in put}
    there = {
        (each.customer, each.kind): each
        for name in names
        for each in draw(st.lists(alerts(name), max_size=2))
    }
    gone = draw(st.lists(NAMES, max_size=2, unique=True))
    left = [name for name in gone if name not in names]
    muted = [
        MuteEntry(name, 99, draw(st.integers(0, 9)), "", "") for name in draw(st.lists(NAMES, max_size=1))
    ]
    hidden = [UnseenEntry(name, OUR_FAULT) for name in left[1:]]
    return Batch(customers=put, opened=[*there.values()], erased=left[:1], unseen=hidden, mutes=muted)


def from_scratch(reading):
    key = ", ".join(COUNTED_BY)
    sql = f"SELECT {key}, COUNT(*), SUM({KNOWN_MINOR}) FROM customers GROUP BY {key}"
    return sorted((*row[:-1], int(row[-1])) for row in reading.rows(sql))


def assert_alerts_counted(reading):
    heard = "customer NOT IN (SELECT customer FROM mutes WHERE until_ms > 5)"
    for columns in ((), ("kind",), ("currency", "tier", "urgent")):
        for condition, muted_after_ms in (("1 = 1", None), (heard, 5)):
            named = "".join(f"{column}, " for column in columns)
            by = f"GROUP BY {', '.join(columns)}" if columns else ""
            sql = f"SELECT {named}{OPEN_SUMS} FROM open_alerts WHERE {condition} {by}"
            scratch = {row[:-4]: row[-4:] for row in reading.rows(sql) if row[-4]}
            found = open_counted(reading, columns, "1 = 1", muted_after_ms=muted_after_ms)
            assert {row[:-4]: row[-4:] for row in found} == {
                key: (*sums[:2], pytest.approx(sums[2], abs=1.0), pytest.approx(sums[3], rel=1e-6, abs=1e9))
                for key, sums in scratch.items()
            }


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request, tmp_path_factory):
    with read_store(request.param, tmp_path_factory.mktemp("counts")) as found:
        yield found


@given(st.lists(batches(), max_size=6), st.integers(0, 6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_counts_are_those_of_a_count_from_scratch(store, written, indexed_after):
    store.empty("x")
    for place, batch in enumerate(written):
        if place == indexed_after:
            store.index()
        store.write(batch)

    with store.reading() as reading:
        expected = from_scratch(reading)
        assert sorted(counted(reading, COUNTED_BY)) == expected
        assert customers_known(reading) == reading.one("SELECT COUNT(*) FROM customers")[0]
        known = {
            row[0]: row[1] for row in reading.rows("SELECT currency, COUNT(*) FROM customers GROUP BY 1")
        }
        assert_alerts_counted(reading)
        assert dict(currencies(reading)) == {name: many for name, many in known.items() if name}


@pytest.mark.parametrize("query", [{}, {"tier": "gold"}, {"kind": "churn_risk"}, {"stage": "loyal"}])
def test_a_map_of_counts_is_the_map_of_the_rows(shop, query, monkeypatch):
    store, view = shop
    filters = customers_filters(query, view)
    with store.reading() as reading:
        kept = value_map(reading, filters, view)
        monkeypatch.setattr("stream.page.screens.value_map.OF_ROWS", ("sort",))
        looked_at = value_map(reading, filters, view)

    assert kept == looked_at
    assert kept.customers


def test_a_round_keeps_the_counts(shop_files, tmp_path):
    store, policy = SqliteStore(tmp_path / "store.db"), basis()
    fill(store, replay_files(shop_files[0], None, policy))
    now_ms = store.as_of_ms() + 90 * 86_400_000
    rounds = Rounds(store, lambda _: policy, lambda: now_ms)
    with store.reading() as reading:
        before = from_scratch(reading)

    while rounds.step() and rounds.running:
        pass

    with store.reading() as reading:
        assert from_scratch(reading) == sorted(counted(reading, COUNTED_BY)) != before
    store.close()


def test_bands_are_those_of_the_filters(shop):
    with shop[0].reading() as reading:
        columns = ", ".join(CustomerEntry.__struct_fields__)
        for row in reading.rows(f"SELECT {columns} FROM customers"):
            entry = CustomerEntry(*row)
            assert entry.risk_band == sum(entry.risk >= end / 100 for end in RISK_ENDS)
            if entry.value_step >= 0:
                assert entry.value_step == sum(entry.value_minor >= end for end in STEPS)
            assert (entry.value_step < 0) == (not entry.orders or entry.value_minor < 0)
            assert msgspec.structs.replace(entry) == entry


def indexes(store):
    with store.reading() as reading:
        return {name for (name,) in reading.rows("SELECT name FROM sqlite_master WHERE type = 'index'")}


def test_a_store_gets_the_indexes_of_its_lists_once_it_is_filled(tmp_path, shop_files):
    source = replay_files(shop_files[0], None, basis())
    store = SqliteStore(tmp_path / "store.db")
    store.open_for(source.fingerprint)
    before = indexes(store)

    fill(store, source)

    late = {f"{table.name}_late_{place}" for table in TABLES for place in range(len(table.late))}
    assert len(late) == 16
    assert before & late == set()
    assert late <= indexes(store)
    assert store.is_indexed
    store.close()
