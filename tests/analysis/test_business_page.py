"""The business report as a page: money of each currency, and sections that have nothing to show."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from stream.analysis.business.campaign_tables import day_words
from stream.analysis.business.page import business_page
from stream.commands.main import main
from stream.core.events.event import PurchaseCompleted
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from tests.support.shop import write_events
from tests.support.studies import report_of

SHOP = Shop(seed=3, customers=120, days=540)
EVENTS = shop_events(SHOP, planned_lives(SHOP))
PURCHASES = [event for event in EVENTS if isinstance(event, PurchaseCompleted)]
DAY_MS_OF_REPORT = EVENTS[-1].time_ms // DAY_MS * DAY_MS


def numbers_of(events) -> dict[str, Any]:
    return report_of(events, DAY_MS_OF_REPORT)


@pytest.fixture(scope="module")
def numbers():
    return numbers_of(EVENTS)


@pytest.fixture(scope="module")
def of_purchases():
    return numbers_of(PURCHASES)


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "1,234,567"), ("EUR", "12,345.67"), ("KWD", "1,234.567")]
)
def test_money_has_the_decimals_of_its_currency_in_every_table(numbers, currency, shown):
    for one in numbers["campaigns"] + numbers["channels"] + numbers["development"]["growth"]:
        one.update({name: 1_234_567 for name in one if name.endswith("_minor")})
    for one in [*numbers["retention"]["saved"], *numbers["retention"]["by_tier"].values()]:
        one.update({name: 1_234_567 for name in one if name.endswith("_minor")})

    page = business_page({**numbers, "currency": currency})

    amounts = set(re.findall(r"[\d,.]*(?:1,234|12,345)[\d,.]*\d", page))
    assert amounts == {shown}
    assert page.count(f"<td>{shown}</td>") >= 5


def test_a_campaign_that_won_nobody_has_no_value_per_customer_and_a_nameless_one_is_unknown(numbers):
    campaign = {**numbers["campaigns"][0], "name": "", "customers": 0, "worth_minor": 0.0}

    page = business_page({**numbers, "campaigns": [campaign]})

    assert re.search(r"<td[^>]*>unknown</td><td>0</td>(<td>[^<]*</td>){2}<td>–</td>", page)


def test_without_engagement_the_dead_ends_say_that_none_was_recorded(of_purchases):
    page = business_page(of_purchases)

    assert "No engagement and no feedback was recorded" in page
    assert "purchase: completed" not in page


def test_with_engagement_the_dead_ends_are_a_table(numbers):
    assert "No engagement and no feedback was recorded" not in business_page(numbers)


def test_no_table_of_a_page_is_without_rows(of_purchases):
    page = business_page(numbers_of([event for event in PURCHASES if event.subject <= "customer-00002"]))

    for shown in (page, business_page(of_purchases)):
        tables = re.findall(r"<table>(.*?)</table>", shown)
        assert tables
        assert [table for table in tables if "<td>" not in table] == []


def test_a_report_for_a_terminal_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("stream.commands.report.is_terminal", lambda: True)
    path = write_events(EVENTS[:500], tmp_path / "shop.jsonl")
    monkeypatch.chdir(tmp_path)

    answer = CliRunner().invoke(main, ["report", str(path)])

    assert answer.exit_code == 2
    assert answer.output.splitlines()[-1] == (
        "Error: the report is an HTML page: name its file, --out report.html, or take --json"
    )
    assert [each.name for each in Path().iterdir()] == ["shop.jsonl"]


def test_a_report_into_a_pipe_is_printed(tmp_path):
    path = write_events(EVENTS[:6_000], tmp_path / "shop.jsonl")

    answer = CliRunner().invoke(main, ["report", str(path)])

    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("<!doctype html>")


def rows_of(page: str, first_head: str) -> list[list[str]]:
    """The cells of the table whose first column has this head."""
    plain = re.sub(r"</?span[^>]*>", "", page)
    table = next(one for one in re.findall(r"<table>(.*?)</table>", plain) if f">{first_head}</th>" in one)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]


def test_cohorts_have_the_day_on_which_they_begin_and_none_is_empty(numbers):
    rows = rows_of(business_page(numbers), "who")

    assert rows
    assert all(row[2] != "0" for row in rows)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", row[1]) for row in rows)
    assert any(re.fullmatch(r"first bought in the \w+ from \d{4}-\d{2}-\d{2}", row[0]) for row in rows)
    assert rows[0][1] == day_words(min(event.time_ms for event in PURCHASES))


def test_tiers_are_in_the_order_of_the_ladder_in_every_table(numbers):
    ladder = [step.name for step in Policy().ladder.steps]
    page = business_page(numbers)

    for head in ("tier", "tier 90 days ago", "value tier", "from"):
        for table in re.findall(r"<table>(.*?)</table>", page):
            if f">{head}</th>" not in table[: len(head) + 60]:
                continue
            tiers = re.findall(r"<tr><td[^>]*>(\w+)</td>", table)
            ranks = [ladder.index(tier) for tier in tiers if tier in ladder]
            assert ranks == sorted(ranks) or "odds ratio" in table
    assert list(numbers["development"]["tiers"]) == [
        one for one in ladder if one in numbers["development"]["tiers"]
    ]


def test_nothing_is_said_twice(numbers, of_purchases):
    for one in (numbers, of_purchases):
        page = business_page(one)
        sentences = re.findall(r"<(?:p|small)[^>]*>(.*?)</(?:p|small)>", page)

        assert len(sentences) == len(set(sentences))
    assert business_page(of_purchases).count("No customer came through a known campaign or channel.") == 1


def test_without_prices_no_amount_is_shown_and_the_page_says_what_follows():
    free = [
        msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, total_minor=0))
        for event in PURCHASES
    ]
    page = business_page(numbers_of(free))

    assert page.count("no alert can ever be raised") == 1
    assert "Amounts are in" not in page
    assert {cell for row in rows_of(page, "tier 90 days ago") for cell in row[2:4]} == {"–"}
    assert {row[-1] for row in rows_of(page, "recent spending at risk")} == {"–"}
