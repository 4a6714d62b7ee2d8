"""A number that stands on two places of the product is one number: lists, pages, mails, spreadsheets, the
words of alerts and what tools get of them. Over generated shops, whoever is snoozed."""

import re
from collections import Counter
from itertools import count, pairwise
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.core.alerts.build import open_alert_at
from stream.core.alerts.stake_words import stake_words
from stream.core.judgement.standing import standing
from stream.core.policy.policy import ALERT_KINDS
from stream.core.view.build import profile_view
from stream.deliver.adapters.flat import flat_alert
from stream.deliver.plan.head import read_head
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.page.dashboard import filled
from stream.page.entries import alert_ms, open_entries
from stream.page.remarks import MuteEntry
from stream.page.screens.customer_filters import customers_filters
from stream.page.screens.customers import customers_export, customers_screen
from stream.page.screens.digest import digest
from stream.page.screens.leaving.by_tier import leaving_by_tier
from stream.page.screens.one_customer.screen import customer_screen
from stream.page.screens.open_list import today_export, today_filters, with_currency
from stream.page.screens.policy.alert_weeks import held_back
from stream.page.screens.remarks import muted_count
from stream.page.screens.today import today
from stream.page.screens.view import KIND_TABS
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import Pages
from stream.page.web.panes import PANES
from stream.replay.run import replay
from stream.wire import encode_alert
from stream.wording.amounts import money, share
from tests.support.builders import basis
from tests.support.dashboard_pages import stored_profile
from tests.support.narrow import not_none
from tests.support.replayed_shop import write_files

OPENING = ("raised", "escalated")
_times = count(1)


@pytest.fixture(scope="module", params=[3, 11])
def lived(request, tmp_path_factory):
    """A store of a generated shop, its view, its customers' names and its alerts."""
    events = list(generated_events(Shop(customers=80, days=420, seed=request.param), Disorder(), None))
    run, alerts = replay(events, basis())
    folder = tmp_path_factory.mktemp("one number")
    files = write_files(folder, list(run.profiles.values()), alerts)
    store = SqliteStore(folder / "store.db")
    view = filled(store, replay_files(*files, basis()))
    yield store, view, sorted(run.profiles), alerts
    store.close()


def all_rows(reading, view, kind):
    filters = with_currency(reading, today_filters({"kind": kind}, view), view)
    rows, _ = today_export(reading, filters, view)
    return rows


def number_in(pattern, text):
    found = re.search(pattern, text)
    assert found, pattern
    return int(found[1].replace(",", ""))


def snooze(lived, snoozed):
    """Just these customers."""
    store, view, names, _ = lived
    at_ms, later_ms = next(_times), view.as_of_ms + 9
    mutes = [MuteEntry(name, later_ms if name in snoozed else 0, at_ms, "snoozed", "") for name in names]
    store.write(Batch(mutes=mutes))


@given(st.sets(st.integers(0, 79), max_size=40))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_who_needs_us_is_counted_alike_everywhere(lived, places):
    store, view, names, _ = lived
    snoozed = {names[place] for place in places if place < len(names)}
    snooze(lived, snoozed)
    with store.reading() as reading:
        grown, kept = (PANES[path](Pages(view), reading, {})[0] for path in ("/grown", "/kept"))
        mail = {part.title: part for part in digest(reading, view).kinds}
        counts = {}
        for kind, title in KIND_TABS.items():
            screen = today(reading, today_filters({"kind": kind}, view), view)
            rows = all_rows(reading, view, kind)
            counts[kind] = len(rows)
            assert not snoozed & {row[0] for row in rows}
            assert screen.total.customers == len(rows)
            assert {tab.title: tab.customers for tab in screen.tabs}[title] == len(rows)
            assert screen.open_by_day[-1][1] == len(rows)
            assert len(mail[title].rows) + mail[title].more == len(rows)
            of_list = customers_screen(reading, customers_filters({"kind": kind}, view), view)
            all_open = number_in(r"^([\d,]+) of", of_list.fit)
            assert all_open == len(rows) + muted_count(reading, kind, view.as_of_ms)
        tiers = leaving_by_tier(reading, view)
        for one in tiers:
            for of_kind in one.lists:
                query = dict(parse_qsl(urlsplit(of_kind.url).query))
                assert today(reading, today_filters(query, view), view).total.customers == of_kind.customers
        leaving = sum(one.customers for one in tiers)
        who = {row[0] for kind in ("at_risk_loyal", "churn_risk") for row in all_rows(reading, view, kind)}
    assert (
        number_in(r"([\d,]+) customers? (?:is|are) ready for the next tier now", grown)
        == (counts["upgrade_opportunity"])
    )
    assert number_in(r"([\d,]+) customers? loyal and at risk now", kept) == counts["at_risk_loyal"]
    assert number_in(r"([\d,]+) customers? likely to leave now", kept) == counts["churn_risk"]
    assert leaving == len(who)


def test_the_levels_of_two_days_differ_by_what_was_raised_and_what_ended(lived):
    store, view, _, alerts = lived
    snooze(lived, set())
    starts = view.day_starts_ms(30)
    for kind in KIND_TABS:
        filters = today_filters({"kind": kind}, view)
        with store.reading() as reading:
            levels = [level for _, level in today(reading, filters, view).open_by_day]
        moved = Counter[int]()
        for one in alerts:
            if one.data.kind == kind and one.data.state != "escalated":
                day = sum(start <= alert_ms(one) for start in starts) - 1
                moved[day] += 1 if one.data.state == "raised" else -1
        assert [after - before for before, after in pairwise(levels)] == [moved[day] for day in range(1, 30)]


def test_what_is_at_stake_is_one_amount(lived):
    store, view, _, alerts = lived
    snooze(lived, set())
    checked = 0
    for alert in alerts:
        stake = alert.data.value_at_risk
        if alert.data.state not in OPENING or stake is None:
            continue
        body = encode_alert(alert)
        words = f"About {money(stake.mean_minor, stake.currency, rounded=True)} of profit on average within"
        assert not_none(alert.data.text).at_stake.startswith(words)
        assert flat_alert(body).properties["at_stake_minor"] == stake.mean_minor
        assert read_head(body).at_stake_minor == stake.mean_minor
        checked += 1
    assert checked > 20
    with store.reading() as reading:
        for kind in ALERT_KINDS:
            screen = today(reading, today_filters({"kind": kind}, view), view)
            for row, cells in zip(screen.rows, all_rows(reading, view, kind), strict=False):
                profile = stored_profile(reading, row.customer)
                data = open_alert_at(kind, profile, view.as_of_ms, basis())
                stake = not_none(data.value_at_risk)
                assert row.stake == money(stake.mean_minor, stake.currency, rounded=True)
                assert float(str(cells[9])) == stake.mean_minor / 100
                (entry,) = [one for one in open_entries(profile, view.as_of_ms, basis()) if one.kind == kind]
                assert round(entry.stake_mean) == stake.mean_minor
                page = not_none(customer_screen(reading, row.customer, view))
                assert stake_words(stake) in [alert.stake for alert in page.open_alerts]


def test_what_is_known_of_a_customer_is_the_same_in_the_list_the_csv_their_page_and_their_view(lived):
    store, view, names, _ = lived
    with store.reading() as reading:
        filters = customers_filters({"sort": "value"}, view)
        rows, _ = customers_export(reading, filters, view)
        by_name = {row[0]: row for row in rows}
        shown = {row.customer: row for row in customers_screen(reading, filters, view).rows}
        for name in names:
            cells, page = by_name[name], not_none(customer_screen(reading, name, view))
            profile = stored_profile(reading, name)
            if not profile.buying.sums.orders:
                continue
            assert page.tier == cells[1]
            outlook = " ".join(page.sections["Outlook"])
            now = standing(profile, view.as_of_ms, basis())
            assert cells[5] == round(now.risk, 4)
            assert f"within their usual time: {share(now.risk)}." in outlook
            expected = money(round(100 * float(str(cells[3]))), str(cells[4]), rounded=True)
            assert not_none(page.value).expected == expected
            seen = not_none(profile_view(profile, basis()))
            bought = not_none(seen.purchases)
            assert (seen.tier, seen.stage, bought.orders) == (cells[1], cells[2], cells[8])
            assert not_none(bought.paid_minor) - bought.refunded_minor == round(100 * float(str(cells[9])))
            if name in shown:
                assert (shown[name].value, shown[name].risk) == (expected, share(now.risk))
                assert shown[name].orders == cells[8] == profile.buying.sums.orders


def test_who_is_held_back_is_counted_on_the_policy_page_as_their_own_pages_say(lived):
    store, view, names, _ = lived
    with store.reading() as reading:
        of_policy = {(one.kind, one.why): one.customers for one in held_back(reading, view)}
        lines = [line for name in names for line in not_none(customer_screen(reading, name, view)).not_raised]

    for (_, why), customers in of_policy.items():
        assert sum(why in line for line in lines) == sum(
            many for (_, each), many in of_policy.items() if each == why
        )
        assert customers
    assert sum(of_policy.values()) == len(lines)
