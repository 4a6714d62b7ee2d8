"""Why customers of each tier may leave now: the strongest reasons of the open alerts, counted."""

from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pytest

from stream.core.alerts.wording import REASON_WORDS
from stream.page.screens.leaving.by_tier import LOOKED_AT_MAX, leaving_by_tier
from stream.page.screens.open_list import today_filters
from stream.page.screens.today import today
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import Pages
from stream.page.web.panes import kept_page
from stream.wording.reasons import REASON_NAMES
from tests.support.dashboard_pages import stored_profile
from tests.support.page_entries import opened


def test_each_customer_with_an_alert_counts_once_with_the_first_reason_of_it(shop):
    store, view = shop
    with store.reading() as reading:
        found = leaving_by_tier(reading, view)
        alerts = reading.rows(
            "SELECT DISTINCT customer FROM open_alerts WHERE kind IN ('at_risk_loyal', 'churn_risk')"
        )
        tiers = Counter(
            view.tier_name(stored_profile(reading, customer).judgement.tier) for (customer,) in alerts
        )

    assert {each.tier: each.customers for each in found} == tiers
    assert [each.tier for each in found] == [name for name in reversed(view.basis.tier_names) if tiers[name]]
    for each in found:
        assert each.looked_at == min(LOOKED_AT_MAX, each.customers)
        assert 0 < sum(one.customers for one in each.reasons) <= each.looked_at


def test_a_tier_leads_to_the_lists_of_the_same_customers(shop):
    store, view = shop
    with store.reading() as reading:
        for each in leaving_by_tier(reading, view):
            listed = set()
            for of_kind in each.lists:
                query = dict(parse_qsl(urlsplit(of_kind.url).query))
                screen = today(reading, today_filters(query, view), view)
                assert screen.total.customers == of_kind.customers
                assert {row.tier for row in screen.rows} <= {each.tier}
                listed |= {row.customer for row in screen.rows}
            assert len(listed) == each.customers


def test_the_page_says_it_without_a_report(shop, tmp_path):
    store, view = shop
    with store.reading() as reading:
        text, _, _ = kept_page(Pages(view), reading, {})
    assert "first of all because" in text
    assert "Not computed yet" in text

    empty = SqliteStore(tmp_path / "store.db")
    empty.open_for("x")
    with empty.reading() as reading:
        text, _, _ = kept_page(Pages(view), reading, {})
    empty.close()
    assert "Of nobody an alert is open that they may leave." in text


def test_who_is_muted_is_in_no_number_of_the_pane(shop, tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    store.write(Batch(opened=[opened("a"), opened("b"), opened("b", kind="churn_risk")]))
    view = shop[1]
    with store.reading() as reading:
        (both,) = leaving_by_tier(reading, view)
    with store.reading() as reading:
        text, _, _ = kept_page(Pages(view), reading, {})
    store.close()

    assert (both.customers, both.looked_at) == (2, 2)
    assert [(one.reason, one.customers) for one in both.reasons] == [(REASON_NAMES["RETURNS"], 2)]
    assert "2 customers loyal and at risk now." in text


@pytest.mark.parametrize("code", REASON_WORDS)
def test_every_reason_has_a_name(code):
    assert REASON_NAMES[code]
