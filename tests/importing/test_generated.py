import json
from collections import Counter, defaultdict
from functools import reduce
from operator import or_

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import EVENT_TYPES, Event, PurchaseCompleted, PurchaseRefunded, Reviewed
from stream.importing.event_order import event_order
from stream.importing.generated.disorder import Disorder, disordered
from stream.importing.generated.history import planned_lives, planted_truth, shop_events
from stream.importing.generated.shop import DRIVERS, Shop
from tests.support.narrow import not_none

SHOP = Shop(customers=120, days=500)
EVENTS = (kind for kinds in EVENT_TYPES.values() for kind in kinds)
ANY_EVENT = msgspec.json.Decoder(reduce(or_, EVENTS))


@pytest.fixture(scope="module")
def lives():
    return planned_lives(SHOP)


@pytest.fixture(scope="module")
def events(lives):
    return shop_events(SHOP, lives)


@pytest.fixture(scope="module")
def truth(lives):
    return planted_truth(SHOP, lives)["customers"]


def test_the_seed_decides_everything(events):
    assert shop_events(SHOP, planned_lives(SHOP)) == events
    other = msgspec.structs.replace(SHOP, seed=2)
    assert shop_events(other, planned_lives(other)) != events


def test_events_come_in_time_order_with_ids_of_their_own_inside_the_shops_span(events):
    assert events == sorted(events, key=event_order)
    assert len({event.id for event in events}) == len(events)
    assert all(e.time >= SHOP.begins for e in events if isinstance(e, PurchaseCompleted))


def test_every_event_satisfies_the_input_contract(events):
    for event in events:
        assert ANY_EVENT.decode(msgspec.json.encode(event)) == event


def test_nobody_buys_after_the_planted_end_of_their_life(events, truth):
    for event in events:
        if isinstance(event, PurchaseCompleted) and truth[event.subject]["dies_at"]:
            assert event.time.isoformat() <= truth[event.subject]["dies_at"].replace("Z", "+00:00")


def test_the_money_in_the_truth_is_that_of_the_events(events, truth):
    paid: Counter[str] = Counter()
    refunded: Counter[str] = Counter()
    for event in events:
        if isinstance(event, PurchaseCompleted):
            lines = sum(p.price_minor * p.quantity for p in event.data.products)
            discount, shipping = not_none(event.data.discount_minor), not_none(event.data.shipping_minor)
            assert event.data.total_minor == lines - discount + shipping
            paid[event.subject] += event.data.total_minor
        elif isinstance(event, PurchaseRefunded):
            refunded[event.subject] += event.data.refund_minor

    assert all(fate["paid_minor"] == paid[name] for name, fate in truth.items())
    assert all(fate["refunded_minor"] == refunded[name] for name, fate in truth.items())


def test_reviews_are_worse_in_planted_trouble(events, truth):
    stars = defaultdict(list)
    for event in events:
        if isinstance(event, Reviewed):
            driven = truth[event.subject]["trouble"] is not None
            in_trouble = driven and event.time.isoformat() > truth[event.subject]["trouble"]["from_at"]
            stars[in_trouble].append(event.data.rating)

    assert sum(stars[True]) / len(stars[True]) < sum(stars[False]) / len(stars[False]) - 1


def test_each_value_class_has_its_own_themes_of_trouble():
    shop = Shop(customers=600, days=500)
    fates = planted_truth(shop, planned_lives(shop))["customers"].values()
    for value, themes in DRIVERS.items():
        seen = {f["trouble"]["theme"] for f in fates if f["value"] == value and f["trouble"]}
        assert seen
        assert seen <= set(themes)


def test_without_drivers_nothing_is_planted():
    shop = Shop(customers=80, days=400, drivers=False)
    fates = planted_truth(shop, planned_lives(shop))["customers"].values()

    assert {fate["cause"] for fate in fates} <= {"natural", ""}
    assert all(fate["trouble"] is None and fate["grows_from"] is None for fate in fates)


def test_disorder_moves_and_repeats_events_but_changes_none(events):
    arrived = list(disordered(events, Disorder(duplicates=0.1, late=0.05, shuffled=0.2), seed=3))

    assert {e.id for e in arrived} == {e.id for e in events}
    assert 0.05 < len(arrived) / len(events) - 1 < 0.15
    assert arrived != sorted(arrived, key=event_order)
    assert arrived == list(disordered(events, Disorder(duplicates=0.1, late=0.05, shuffled=0.2), seed=3))
    by_id = {e.id: e for e in events}
    assert all(by_id[e.id] == e for e in arrived)


def test_without_disorder_events_arrive_as_they_happened(events):
    assert list(disordered(events, Disorder(), seed=3)) == events


def test_the_command_writes_events_and_truth(tmp_path):
    out, truth = tmp_path / "shop.jsonl.gz", tmp_path / "truth.json"
    options = ["--customers", "20", "--days", "200", "--truth", str(truth), "--out", str(out), "--json"]
    answer = CliRunner().invoke(main, ["import", "generated", *options])

    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["types"]["purchase.completed"] > 20
    assert len(json.loads(truth.read_bytes())["customers"]) == 20


def test_every_generated_event_says_that_it_is_generated(events):
    assert {event.source for event in events} == {"/generated"}
    assert all(isinstance(event, Event) for event in events)
