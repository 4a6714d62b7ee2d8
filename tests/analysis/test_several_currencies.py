"""Reports and backtests of shops that sell in several currencies: amounts of two are never added."""

from __future__ import annotations

import json

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import CostRecorded, PurchaseCompleted, PurchaseRefunded
from stream.core.units import DAY_MS
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.panes.report import business_page
from stream.policy_file import default_policy, parse_policy
from tests.support.shop import write_events
from tests.support.studies import report_of

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

SHOP = Shop(seed=3, customers=80, days=540)
EUROS = shop_events(SHOP, planned_lives(SHOP))
DAY_MS_OF_REPORT = EUROS[-1].time_ms // DAY_MS * DAY_MS
RATED = parse_policy('[finance]\ncurrency = "EUR"\nrates = { KWD = "3" }\n')
IN_EUROS = parse_policy('[finance]\ncurrency = "EUR"\n')


def in_dinars(event):
    """The same event of another customer, who pays a third of it in dinars: 3.00 EUR are 1.000 KWD."""
    event = msgspec.structs.replace(event, subject=f"kw-{event.subject}", id=f"kw-{event.id}")
    if isinstance(event, PurchaseCompleted):
        data = msgspec.structs.replace(
            event.data,
            currency="KWD",
            total_minor=event.data.total_minor * 10 // 3,
        )
        return msgspec.structs.replace(event, data=data)
    if isinstance(event, PurchaseRefunded):
        back = msgspec.structs.replace(
            event.data,
            currency="KWD",
            refund_minor=event.data.refund_minor * 10 // 3,
        )
        return msgspec.structs.replace(event, data=back)
    return event


DINARS = [in_dinars(event) for event in EUROS if not isinstance(event, CostRecorded)]
BOTH = sorted(EUROS + DINARS, key=lambda event: event.time)
MONEY_PARTS = ("campaigns", "channels", "development")


def report(events, policy=None):
    return report_of(events, DAY_MS_OF_REPORT, policy or default_policy())


@pytest.mark.parametrize("policy", [default_policy(), IN_EUROS], ids=["no currency", "euros"])
def test_customers_of_a_currency_without_a_rate_change_no_amount_and_are_counted(policy):
    alone, both = report(EUROS, policy), report(BOTH, policy)

    assert both["currency"] == "EUR"
    assert both["customers"] == 2 * alone["customers"]
    assert both["not_ranked"] == {"KWD": alone["customers"]}
    for part in MONEY_PARTS:
        assert both[part] == alone[part], part
    for part in ("by_tier", "by_value", "saved"):
        assert both["retention"][part] == alone["retention"][part], part
    assert both["other_money"]["KWD"]["paid_minor"] > 0


def test_the_page_says_who_is_not_counted_and_what_they_paid_with_its_own_decimals():
    numbers = report(BOTH)
    page = business_page({**numbers, "notes": []})
    paid = numbers["other_money"]["KWD"]["paid_minor"]

    assert "Amounts are in EUR." in page
    assert f"{numbers['not_ranked']['KWD']:,} customers pay in another currency than EUR" in page
    assert "Customers who are not ranked are in no table below but that of retention." in page
    assert f"class=amount>{paid / 1_000:,.3f} KWD</td>" in page
    assert "KWD" not in business_page({**report(EUROS), "notes": []})


def test_with_a_rate_all_customers_are_in_the_tables_of_one_currency():
    alone, both = report(EUROS, RATED), report(BOTH, RATED)
    tiers, twice = alone["development"]["tiers"], both["development"]["tiers"]

    assert both["not_ranked"] == {}
    assert both["other_money"] == {}
    assert twice == {name: 2 * count for name, count in tiers.items()}
    worth = {one["name"]: one["worth_minor"] for one in alone["channels"]}
    for one in both["channels"]:
        assert one["worth_minor"] == pytest.approx(worth[one["name"]], rel=1e-3)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    write_events(BOTH, folder / "both.jsonl")
    (folder / "yen.toml").write_text('[finance]\ncurrency = "JPY"\n')
    (folder / "euro.toml").write_text('[finance]\ncurrency = "EUR"\n')
    (folder / "rated.toml").write_text('[finance]\ncurrency = "EUR"\nrates = { KWD = "3" }\n')
    return folder


def run(folder, *words):
    return CliRunner().invoke(main, [word.replace("@", f"{folder}/") for word in words])


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "@both.jsonl", "--policy", "@euro.toml"),
        ("fit", "@both.jsonl", "--policy", "@euro.toml", "--out", "@m.json"),
        ("report", "@both.jsonl", "--policy", "@euro.toml", "--out", "@r.html"),
        ("backtest", "@both.jsonl", "--policy", "@euro.toml", "--split", "2024-09-30", "--horizon", "8w"),
    ],
    ids=lambda words: words[0],
)
def test_each_command_says_how_many_customers_are_not_ranked(shop, words):
    answer = run(shop, *words)
    output = " ".join(answer.output.split())

    assert answer.exit_code == 0, answer.output
    assert "in KWD): they are not ranked" in output
    assert "name rates for them in [finance] of the policy" in output


def test_a_replay_by_the_shipped_model_says_that_it_compares_what_cannot_be_compared(shop):
    answer = run(shop, "replay", "@both.jsonl")
    summary = json.loads(run(shop, "replay", "@both.jsonl", "--json").stdout.splitlines()[0])

    assert "note: Customers pay in 2 currencies (" in answer.output
    assert "the shipped model compares their amounts as if they were in one: name currency" in answer.output
    assert summary["not_ranked"] == 0
    assert set(summary["currencies"]) == {"EUR", "KWD"}


def test_a_replay_counts_its_tiers_without_those_who_are_not_ranked(shop):
    summary = json.loads(
        run(shop, "replay", "@both.jsonl", "--policy", "@euro.toml", "--json").stdout.splitlines()[0]
    )
    others = summary["customers"] - sum(summary["currencies"].values())

    assert summary["not_ranked"] == summary["currencies"]["KWD"]
    assert sum(summary["tiers"].values()) == summary["currencies"]["EUR"] + others


def test_a_model_in_another_currency_than_the_policys_is_one_line_for_every_command(shop):
    fitted = run(shop, "fit", "@both.jsonl", "--policy", "@euro.toml", "--out", "@euros.json")
    assert fitted.exit_code == 0, fitted.output
    for words in (("replay", "@both.jsonl"), ("report", "@both.jsonl", "--out", "@r2.html")):
        answer = run(shop, *words, "--model", "@euros.json", "--policy", "@yen.toml")

        assert answer.exit_code == 2, answer.output
        assert (
            "the money of model fitted is in EUR, the policy's in JPY ([finance] currency): fit a model"
            in (answer.output)
        )


def test_a_backtest_does_not_compare_policies_to_which_the_same_facts_mean_other_money(shop):
    words = ("backtest", "@both.jsonl", "--policy", "@euro.toml", "--against", "@rated.toml")
    answer = run(shop, *words, "--split", "2024-09-30", "--horizon", "8w")

    assert answer.exit_code == 2
    assert "--against: its currency, rates or time zone are others than those of --policy" in answer.output
    assert "stream policy diff" in answer.output
