"""The business report as a page: money of each currency, and sections that have nothing to show."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.calendar import UTC_CALENDAR
from stream.core.events.event import PurchaseCompleted
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.look.html import signed_percent
from stream.panes.places import iso_day
from stream.panes.report import business_page
from stream.panes.summary import summary_sentences
from stream.wording.amounts import date
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
    ("currency", "shown"), [("JPY", "¥1,234,567"), ("EUR", "€12,345.67"), ("KWD", "1,234.567 KWD")]
)
def test_every_amount_has_its_currency_and_the_decimals_of_it(numbers, currency, shown):
    for one in numbers["campaigns"] + numbers["channels"] + numbers["development"]["growth"]:
        one.update({name: 1_234_567 for name in one if name.endswith("_minor")})
    for one in [*numbers["retention"]["saved"], *numbers["retention"]["by_tier"].values()]:
        one.update({name: 1_234_567 for name in one if name.endswith("_minor")})

    page = business_page({**numbers, "currency": currency})

    amounts = set(re.findall(r"[€¥]?[\d,.]*(?:1,234|12,345)[\d,.]*\d(?: KWD)?", page))
    assert amounts == {shown}
    assert page.count(f"class=amount>{shown}</td>") >= 5


def test_campaigns_that_won_nobody_are_a_sentence_with_their_cost_and_no_lines_of_a_table(numbers):
    idle = {
        **numbers["campaigns"][0],
        "customers": 0,
        "worth_minor": 0.0,
        "ratio": None,
        "cost_minor": 12_300,
    }
    few = [{**idle, "name": "mail-1"}]
    many = [{**idle, "name": f"mail-{number}"} for number in range(27)]

    one, all_27 = (business_page({**numbers, "campaigns": found}) for found in (few, many))

    assert "1 campaign: nobody is known to have come through it, it cost €123.00 in all (mail-1)." in one
    assert "27 campaigns: nobody is known to have come through them, they cost €3,321.00 in all" in all_27
    assert ">campaign</th>" not in all_27
    assert "mail-26" in all_27


def test_a_cost_that_names_no_campaign_is_said_to_name_none(numbers):
    nameless = {**numbers["campaigns"][0], "name": "", "customers": 0, "cost_minor": 12_300}

    page = business_page({**numbers, "campaigns": [*numbers["campaigns"], nameless]})

    assert "€123.00 of the cost names no campaign." in page


def test_a_report_begins_with_five_sentences_what_changed_who_matters_what_to_do(numbers):
    page = business_page(numbers)

    sentences = re.findall(r"<li>(.*?)</li>", page)
    assert len(sentences) == 5
    assert page.index("<li>") < page.index("<h2>")
    words = (
        "bought for the first time",
        "moved to a higher",
        "Who matters most",
        "pays",
        "goes with leaving",
    )
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))


def test_the_first_sentences_tell_a_change_with_what_it_is_compared_with(numbers):
    acquisition = {**numbers["acquisition"], "new_90_days": 30, "new_90_days_before": 40}

    first = summary_sentences({**numbers, "acquisition": acquisition})[0]

    assert first == (
        "30 customers have bought for the first time in the last 90 days, 25% fewer than in the 90 days "
        "before (40)."
    )


def test_nobody_new_is_no_percentage_and_no_change_has_a_minus_of_nothing(numbers):
    acquisition = {**numbers["acquisition"], "new_90_days": 0, "new_90_days_before": 41}

    first = summary_sentences({**numbers, "acquisition": acquisition})[0]

    assert first == (
        "Nobody has bought for the first time in the last 90 days; in the 90 days before it was 41."
    )
    assert [signed_percent(each) for each in (-0.001, 0.0, 0.051, -1.0)] == ["+0%", "+0%", "+5%", "-100%"]


def test_the_campaign_that_pays_best_and_one_that_does_not_are_named(numbers):
    campaign = {**numbers["campaigns"][0], "cost_per_customer_minor": 1_000, "worth_high_minor": 90_000}

    def one(name, customers, worth, low):
        more = {"worth_minor": worth, "worth_low_minor": low, "ratio": worth / 1_000}
        return {**campaign, "name": name, "customers": customers, **more}

    found = [one("lucky", 1, 9_000, 500), one("spring", 40, 4_200, 3_000), one("fair", 9, 400, 300)]

    sentence = summary_sentences({**numbers, "campaigns": found})[3]

    assert sentence.startswith(
        "The campaign spring pays best: each of its 40 customers is worth €42.00 on average and cost "
        "€10.00 to win, 4.2 times as much"
    )
    assert "1 campaign costs more than the customers are worth, such as fair." in sentence
    assert sentence.endswith(
        "Of the 3 campaigns with a cost 1 surely pays, 0 surely do not, of 2 it is not known yet "
        "(90% intervals)."
    )


def test_without_engagement_the_dead_ends_say_that_none_was_recorded(of_purchases):
    page = business_page(of_purchases)

    assert "No engagement and no feedback was recorded" in page
    assert "purchase: completed" not in page


def test_with_engagement_the_dead_ends_are_a_table(numbers):
    assert "No engagement and no feedback was recorded" not in business_page(numbers)


def test_no_table_of_a_page_is_without_rows(of_purchases):
    page = business_page(numbers_of([event for event in PURCHASES if event.subject <= "customer-00002"]))

    for shown in (page, business_page(of_purchases)):
        tables = re.findall(r"<table[^>]*>(.*?)</table>", shown)
        assert tables
        assert [table for table in tables if "<td" not in table] == []


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
    table = next(
        one for one in re.findall(r"<table[^>]*>(.*?)</table>", plain) if f">{first_head}</th>" in one
    )
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]


def test_cohorts_have_the_day_on_which_they_begin_and_none_is_empty(numbers):
    plain = re.sub(r"</?span[^>]*>", "", business_page(numbers))
    table = next(
        one for one in re.findall(r'<table class="?heat[^>]*>(.*?)</table>', plain) if "bought in the " in one
    )
    starts = re.findall(r"<th scope=col>from (.*?)</th>", table)
    rows = re.findall(r"<th scope=row>(.*?)</th>(.*?)</tr>", table)

    assert rows[0][0] == "everybody"
    assert all(re.fullmatch(r"first bought from \d+ [A-Z][a-z]+ \d{4}", name) for name, _ in rows[1:])
    assert all("%" in cells or " of " in cells for _, cells in rows)
    assert starts[0] == date(min(event.time_ms for event in PURCHASES))


def test_new_customers_are_not_compared_with_days_before_the_history(numbers):
    found = {**numbers["acquisition"], "new_90_days": 30, "new_90_days_before": None}

    assert (
        "30 customers have bought for the first time in the last 90 days; how many"
        in (summary_sentences({**numbers, "acquisition": found})[0])
    )
    assert "not known: the history does not reach back so far" in business_page(
        {**numbers, "acquisition": found}
    )


def test_cohorts_count_each_customer_in_the_month_of_the_first_purchase(numbers):
    firsts: dict[str, int] = {}
    for event in PURCHASES:
        firsts.setdefault(event.subject, event.time_ms)

    assert sum(one["customers"] for one in numbers["cohorts"]) == numbers["customers"]
    assert all(one["bought"][0] == one["customers"] for one in numbers["cohorts"])
    assert numbers["cohorts"][0]["month"] == iso_day(min(firsts.values()), UTC_CALENDAR)[:7]


def test_the_highest_tier_comes_first_in_every_table(numbers):
    ladder = [step.name for step in Policy().ladder.steps]
    page = business_page(numbers)

    for head in (
        "tier",
        "tier 90 days ago",
        "tier 180 days ago",
        "value tier",
        "value tier on that day",
        "90 days ago",
    ):
        found = [
            one for one in re.findall(r"<table[^>]*>(.*?)</table>", page) if f">{head}</th>" in one[:180]
        ]
        assert found, head
        for table in found:
            tiers = re.findall(r"<tr><t[dh][^>]*>(?:was )?(\w+)</t", table)
            ranks = [ladder.index(tier) for tier in tiers if tier in ladder]
            assert ranks == sorted(ranks, reverse=True) or "odds ratio" in table
    assert list(numbers["development"]["tiers"]) == [
        one for one in ladder if one in numbers["development"]["tiers"]
    ]


def test_nothing_is_said_twice(numbers, of_purchases):
    for one in (numbers, of_purchases):
        page = business_page(one)
        sentences = re.findall(r"<(?:p|summary|li)\b[^>]*>(.*?)</(?:p|summary|li)>", page)

        assert len(sentences) == len(set(sentences))
    assert business_page(of_purchases).count("No customer is known to have come through a campaign") == 1


def test_without_prices_no_amount_is_shown_and_the_page_says_what_follows():
    free = [
        msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, total_minor=0))
        for event in PURCHASES
    ]
    page = business_page(numbers_of(free))

    assert page.count("no alert can ever be raised") == 1
    assert "Amounts are in" not in page
    assert {cell for row in rows_of(page, "tier 180 days ago") for cell in row[2:4]} == {"–"}
    assert {row[-1] for row in rows_of(page, "recent spending at risk")} == {"–"}
