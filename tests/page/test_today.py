"""The first screen: who needs us today, in which order, filtered, added up, and as CSV."""

from contextlib import contextmanager

import msgspec
import pytest

from stream.core.alerts.alert import AlertData
from stream.core.units import DAY_MS
from stream.core.value.swanson import mean_and_variance
from stream.page.cells import value_step
from stream.page.entries import NOT_KNOWN, OUR_FAULT, AlertEntry, CustomerEntry, UnseenEntry
from stream.page.remarks import MuteEntry
from stream.page.screens.open_list import today_export, today_filters, with_currency
from stream.page.screens.today import ROWS_SHOWN, today
from stream.page.screens.view import FilterError, View
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from tests.support.builders import basis
from tests.support.page_entries import NOW_MS, opened

VIEW = View(basis(), NOW_MS, "a test", True)


@contextmanager
def filled_store(folder, batch):
    store = SqliteStore(folder / "other.db")
    store.open_for("x")
    store.write(batch)
    with store.reading() as reading:
        yield reading
    store.close()


def names(screen):
    return [row.customer for row in screen.rows]


def test_worst_first_is_what_came_into_doubt_lately(shown):
    entries = [
        opened("long lost", 90_000, 0.0),
        opened("slipping", 20_000, 0.6),
        opened("a little", 20_000, 0.1),
    ]

    assert names(shown(entries)) == ["slipping", "a little", "long lost"]


def test_worst_first_may_be_the_money_that_is_likely_to_be_lost_whenever_the_risk_rose(shown):
    entries = [
        opened("long lost", 90_000, 0.0, risk=0.9),
        opened("slipping", 20_000, 0.6, risk=0.3),
        opened("rich and safe", 100_000, 0.1, risk=0.01),
    ]

    screen = shown(entries, {"sort": "lost"})

    assert names(screen) == ["long lost", "slipping", "rich and safe"]
    assert [row.lost for row in screen.rows] == ["€932", "€69", "€12"]
    assert [choice.words for choice in screen.sorts if choice.chosen] == ["money likely to be lost"]


def test_what_may_be_gained_has_one_order_only(shown):
    entries = [opened("a", 10_000, 0.5, kind="upgrade_opportunity", risk=0.1)]

    screen = shown(entries, {"kind": "upgrade_opportunity", "sort": "lost"})

    assert (screen.sorts, screen.filters["sort"], screen.rows[0].lost) == ([], "", "")


@pytest.mark.parametrize("sort", ["", "lost"])
def test_pages_hold_every_customer_once_and_in_order(shown, sort):
    entries = [
        opened(f"c{n:03}", 1_000 * (n % 7), (n % 5) / 10, risk=(n % 4) / 4) for n in range(3 * ROWS_SHOWN + 5)
    ]
    first = shown(entries, {"sort": sort})
    found, screen = names(first), first
    while screen.next_url:
        after = dict(pair.split("=") for pair in screen.next_url.partition("?")[2].split("&"))["after"]
        screen = shown([], {"sort": sort, "after": after.replace("%7E", "~")})
        found += names(screen)

    def level(one):
        return one.likely_lost if sort else one.worth

    by_worth = sorted(entries, key=lambda e: (-level(e), -e.stake_mean, e.customer))
    assert found == [entry.customer for entry in by_worth]


def test_since_yesterday_is_from_the_midnight_before_the_last(shown):
    part = (NOW_MS % DAY_MS) / DAY_MS
    entries = [opened("new", days=part + 0.99), opened("old", days=part + 1.01)]

    assert names(shown(entries, {"since": "yesterday"})) == ["new"]
    assert shown([]).new == 1


def test_filters_are_shown_and_each_can_be_taken_away(shown):
    screen = shown([opened("a", tier=3), opened("b", tier=2)], {"tier": "gold", "urgent": "yes"})

    assert names(screen) == []
    assert [(chip.words, chip.without) for chip in screen.chips] == [
        (
            "gold tier",
            "/?kind=at_risk_loyal&urgent=yes&currency=EUR".replace(
                "&urgent=yes&currency=EUR", "&currency=EUR&urgent=yes"
            ),
        ),
        ("urgent only", "/?kind=at_risk_loyal&currency=EUR&tier=gold"),
    ]
    assert names(shown([], {"tier": "gold"})) == ["b"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"kind": "x"}, "kind is 'x'; allowed: at_risk_loyal"),
        ({"tier": "x"}, "tier is 'x'; allowed: bronze"),
        ({"colour": "red"}, "there is no filter 'colour'"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_what_is_allowed(query, why):
    with pytest.raises(FilterError, match=why):
        today_filters(query, VIEW)


@pytest.mark.parametrize("after", ["x", "1~2", "one~2~c"])
def test_a_place_that_cannot_be_is_refused(shown, after):
    with pytest.raises(FilterError, match="first page"):
        shown([opened("a")], {"after": after})


def test_amounts_of_different_currencies_are_never_added_or_compared(shown):
    entries = [opened("a"), opened("b"), opened("c", 90_000, currency="JPY")]

    euro, yen = shown(entries), shown([], {"currency": "JPY"})

    assert names(euro) == ["a", "b"]
    assert euro.total.stake == "€230"
    assert [(tab.title, tab.customers) for tab in euro.currencies] == [("EUR", 2), ("JPY", 1)]
    assert (names(yen), yen.total.stake) == (["c"], "¥103,500")


def test_what_is_new_is_counted_in_the_currency_that_is_shown(shown):
    entries = [opened("a", days=0.1), opened("b"), opened("c", days=0.1, currency="JPY")]

    assert (shown(entries).new, shown([], {"currency": "JPY"}).new) == (1, 1)


def test_ranges_of_a_sum_are_narrower_than_the_sum_of_ranges(shown):
    one = shown([opened("a", 10_000)]).total
    many = shown([opened(f"c{n}", 10_000) for n in range(99)]).total  # a hundred in all

    assert (one.stake, one.spread) == ("€115", "€39 to €191")
    assert (many.stake, many.spread) == ("€11,500", "€10,739 to €12,261")


def test_swansons_rule_gives_the_moments_of_a_normal_distribution():
    mean, variance = mean_and_variance(100 - 12.816, 100, 100 + 12.816)

    assert mean == pytest.approx(100)
    assert variance == pytest.approx(100, rel=0.02)


def test_the_open_alerts_of_each_day_follow_from_what_was_raised_and_ended(shop):
    store, view = shop
    with store.reading() as reading:
        screen = today(reading, today_filters({"kind": "churn_risk"}, view), view)
        alerts = reading.rows("SELECT state, at_ms FROM alerts WHERE kind = 'churn_risk'")
    day_before_last_ms = view.day_starts_ms(30)[-2]
    raised = sum(state == "raised" and at_ms < day_before_last_ms for state, at_ms in alerts)
    ended = sum(
        state not in ("raised", "escalated") and at_ms < day_before_last_ms for state, at_ms in alerts
    )

    assert len(screen.open_by_day) == 30
    assert screen.open_by_day[-1][1] == screen.tabs[1].customers
    assert screen.open_by_day[-3][1] == raised - ended


def test_every_open_alert_of_the_rows_is_in_the_list(shop, shop_files):
    store, _ = shop
    rows = [msgspec.json.decode(line) for line in shop_files[0].read_bytes().splitlines()]
    wanted = {
        (row["customer"], kind)
        for row in rows
        for kind, episode in row["judgement"].get("episodes", {}).items()
        if episode.get("state") in ("raised", "escalated")
    }

    with store.reading() as reading:
        found = reading.rows("SELECT customer, kind, data FROM open_alerts")

    assert {(customer, kind) for customer, kind, _ in found} == wanted
    assert all(msgspec.json.decode(data, type=AlertData).score.value > 0 for _, _, data in found)


def customer(name, currency):
    return CustomerEntry(
        name,
        2,
        1,
        0,
        "loyal",
        0.5,
        0.1,
        10_000,
        currency,
        5_000,
        3,
        0,
        NOW_MS,
        "",
        "",
        "",
        "",
        "",
        NOW_MS,
        2,
        value_step(3, 10_000),
    )


def ended(name, days_ago, state="cleared"):
    at_ms = NOW_MS - round(days_ago * DAY_MS)
    return AlertEntry(f"{name}-{state}", name, "at_risk_loyal", state, at_ms, 1, b"{}")


def test_what_is_over_and_the_line_of_30_days_are_of_the_currency_that_is_shown(shown, tmp_path):
    entries = [opened("a", days=3), opened("c", days=3, currency="JPY"), opened("d", days=3, currency="JPY")]
    raised = [ended(entry.customer, 3, "raised") for entry in entries]
    over = [ended("b", 0.01), ended("e", 0.01), ended("f", 0.01)]
    who = [customer(name, "EUR" if name in "ab" else "JPY") for name in "abcdef"]
    shown(entries, (), customers=who, alerts=[*raised, *over])

    euro, yen = shown([], {"currency": "EUR"}), shown([], {"currency": "JPY"})

    assert (euro.over, yen.over) == (1, 2)
    assert [screen.open_by_day[-1][1] for screen in (euro, yen)] == [1, 2]
    assert [screen.open_by_day[0][1] for screen in (euro, yen)] == [1, 2]


def test_who_is_snoozed_or_cannot_be_looked_at_counts_in_no_figure_on_no_day(shown):
    entries = [opened("heard", days=3), opened("snoozed", days=3)]
    alerts = [ended(name, 3, "raised") for name in ("heard", "snoozed", "unseen")]
    alerts += [ended(name, days, state) for name in ("over", "over and snoozed")
               for days, state in ((5, "raised"), (0.01, "cleared"))]  # fmt: skip
    mutes = [MuteEntry(name, NOW_MS + 1, 1, "snoozed", "") for name in ("snoozed", "over and snoozed")]
    mutes.append(MuteEntry("heard", NOW_MS - 1, 1, "snoozed", ""))
    who = [customer(name, "EUR") for name in ("heard", "snoozed", "over", "over and snoozed")]
    unseen = [UnseenEntry("unseen", OUR_FAULT)]
    screen = shown(entries, customers=who, alerts=alerts, mutes=mutes, unseen=unseen)

    levels = [level for _, level in screen.open_by_day]
    assert (screen.total.customers, screen.tabs[0].customers, levels[-1], screen.over) == (1, 1, 1, 1)
    assert [levels[0], levels[-5], levels[-3]] == [0, 1, 2]


def test_what_an_unpriced_customer_would_bring_is_not_known_and_in_no_sum(shown):
    unknown = opened("free", stake_minor=NOT_KNOWN, stake_mean=0.0, stake_variance=0.0, worth=0.0)

    alone, both = shown([unknown]), shown([opened("a", 10_000)])

    assert (alone.rows[0].stake, alone.rows[0].spread) == ("not known", "")
    assert (alone.total.stake, alone.total.unknown) == ("not known", 1)
    assert (both.total.stake, both.total.unknown) == ("€115", 1)
    assert names(both) == ["a", "free"]


def test_the_score_of_a_loyal_customer_at_risk_is_no_percentage(shown):
    loyal = shown([opened("a")]).rows[0]
    leaving = shown([opened("a", kind="churn_risk")], {"kind": "churn_risk"}).rows[0]

    assert loyal.score == "warning level 80"
    assert leaving.score == "80% risk that they do not buy again"


def test_days_in_reasons_are_those_of_the_shop(tmp_path):
    data = msgspec.json.decode(opened("a").data)
    data["evidence"], data["customer"]["last_purchase"] = [], "2024-05-01T20:00:00Z"
    entry = opened("a", data=msgspec.json.encode(data))
    far = View(basis('[business]\nzone = "Pacific/Auckland"\n'), NOW_MS, "a test", True)

    with filled_store(tmp_path, Batch(opened=[entry])) as reading:
        row = today(reading, today_filters({}, far), far).rows[0]
        cells, _ = today_export(reading, with_currency(reading, today_filters({}, far), far), far)

    assert "last on 2 May 2024" in row.why[0]
    assert "last on 2 May 2024" in str(cells[0][13])
