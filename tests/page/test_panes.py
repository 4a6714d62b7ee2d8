"""Won, grown, kept and policy on the dashboard: what a report published, with its day; or how to get it."""

import json
import re

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import PurchaseCompleted
from stream.core.facts.profile import Episode, Judgement
from stream.core.judgement.held import held_back
from stream.core.units import DAY_MS
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.page.published import BACKTEST, REPORT, UPLIFT, Published, PublishedError
from stream.page.screens.policy.alert_weeks import HELD_WORDS, alert_weeks
from stream.page.screens.policy.alert_weeks import held_back as held_rows
from stream.page.web.pages import Pages, today_page
from stream.page.web.panes import PANES
from stream.wording.policy import rule_sections
from tests.support.builders import at, basis
from tests.support.narrow import not_none
from tests.support.shop import write_events
from tests.support.trial_shop import TrialShop, in_files, written

HYSTERESIS = basis().hysteresis["churn_risk"]


@pytest.fixture
def shown(shop):
    store, view = shop

    def show(path, published, **query):
        with store.reading() as reading:
            text, status, _ = PANES[path](Pages(view, None, published), reading, query)
        assert status == 200
        return re.sub(r"</?span[^>]*>", "", text)

    return show


def test_publishing_leaves_the_numbers_of_both_studies(folder):
    assert sorted(path.name for path in folder.iterdir()) == [BACKTEST, REPORT]
    assert not_none(Published(folder).report())["customers"] > 100
    assert set(not_none(Published(folder).backtest())["alerts"]) == {
        "churn_risk",
        "at_risk_loyal",
        "upgrade_opportunity",
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/won", ["bought for the first time", "value per customer", "times its cost"]),
        (
            "/grown",
            ["moved to a higher value tier", "was platinum", "basket now", "ready for the next tier now"],
        ),
        ("/kept", ["recent spending at risk", "and again in the next", "first bought in", "Dead ends"]),
    ],
)
def test_a_pane_shows_what_was_published_and_of_which_day(shown, folder, path, words):
    text = shown(path, Published(folder))

    for word in [*words, " February 2025"]:
        assert word in text


def test_a_campaign_and_a_tier_lead_to_their_customers(shown, folder):
    won, kept = shown("/won", Published(folder)), shown("/kept", Published(folder))

    assert re.search(r'<a href="/customers\?campaign=[\w-]+">', won)
    assert re.search(r'<a href="/customers\?channel=\w+">', won)
    assert '<a href="/customers?tier=platinum">platinum</a>' in kept


@pytest.mark.parametrize("path", ["/won", "/grown", "/kept"])
def test_what_was_not_computed_yet_says_so_with_the_command_to_run(shown, tmp_path, path):
    for published in (Published(), Published(tmp_path)):
        text = shown(path, published)

        assert "Not computed yet" in text
        assert "stream report EVENTS --publish FOLDER" in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is no JSON"),
        ("[]", "is not what this version publishes"),
        ('{"zone": "UTC"}', "no &#39;as_of_ms&#39;"),
    ],
)
@pytest.mark.parametrize("path", ["/won", "/kept"])
def test_a_file_that_holds_something_else_is_named_with_the_remedy(shown, tmp_path, path, text, why):
    (tmp_path / REPORT).write_text(text)

    page = shown(path, Published(tmp_path))

    assert why in page
    assert "again" in page


def test_a_report_of_another_version_is_no_fault_of_the_page(shown, folder, tmp_path):
    numbers = json.loads((folder / REPORT).read_text())
    numbers["retention"] = {}
    (tmp_path / REPORT).write_text(json.dumps(numbers))

    for path in ("/won", "/grown", "/kept"):
        assert "published by another version" in shown(path, Published(tmp_path))


def test_a_new_report_is_shown_without_a_new_start(folder, tmp_path):
    published = Published(tmp_path)
    assert published.report() is None
    numbers = json.loads((folder / REPORT).read_text())

    (tmp_path / REPORT).write_text(json.dumps(numbers))
    first = not_none(published.report())["customers"]
    (tmp_path / REPORT).write_text(json.dumps({**numbers, "customers": 123_456_789}))

    assert (first, not_none(published.report())["customers"]) == (numbers["customers"], 123_456_789)
    (tmp_path / REPORT).write_text("spoilt")
    with pytest.raises(PublishedError, match="stream report --publish"):
        published.report()


def test_an_old_report_and_one_of_another_policy_say_so(shown, folder, tmp_path):
    numbers = json.loads((folder / REPORT).read_text())
    numbers |= {"as_of_ms": numbers["as_of_ms"] - 30 * DAY_MS, "policy": "other"}
    (tmp_path / REPORT).write_text(json.dumps(numbers))

    text = shown("/won", Published(tmp_path))

    assert "older than the rest of the page: publish a new one" in text
    assert "made by another policy" in text
    assert "older than" not in shown("/won", Published(folder))


def test_the_policy_page_has_todays_thresholds_the_backtest_and_the_weeks(shown, folder, shop):
    text = shown("/policy", Published(folder))

    for word in (
        "Were the alerts of a model of the past right?",
        "30 September 2024",
        "right (90% interval)",
        "a week on average",
        "reaches 65",
    ):
        assert word in text
    assert "No backtest was published yet" in shown("/policy", Published())


@pytest.fixture(scope="module")
def readout(tmp_path_factory):
    """What `stream uplift` publishes of a shop in which acting on alerts helps platinum customers."""
    place = tmp_path_factory.mktemp("uplift")
    trial = TrialShop(customers=6_000, share=0.3, salt="w", effect={"platinum": 0.25})
    paths = [str(path) for path in in_files(written(trial), place)]
    words = ["uplift", paths[0], "--alerts", paths[1], "--deliveries", paths[2], "--publish", str(place)]
    assert CliRunner().invoke(main, words).exit_code == 0
    return place


def test_the_policy_page_says_whether_acting_on_alerts_helps(shown, readout):
    text = shown("/policy", Published(readout))

    assert re.search(r"Platinum tier</td><td[^>]*>it helps</td>.*points \(\+", text)
    assert "30% of the customers are held out" in text
    assert "No readout was published yet" in shown("/policy", Published())


def test_a_readout_whose_arms_are_not_of_chance_shows_no_figure(shown, readout, tmp_path):
    numbers = json.loads((readout / UPLIFT).read_text())
    numbers |= {"sample_ratio": {"p": 1e-9, "fits": False}, "all": None, "kinds": {}, "tiers": {}}
    (tmp_path / UPLIFT).write_text(json.dumps(numbers))

    text = shown("/policy", Published(tmp_path))

    assert "every figure is hidden" in text
    assert "points (" not in text


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"experiment": {}, "customers": {}, "sample_ratio": 1, "all": 1, "headline": 1}']
)
def test_a_spoilt_readout_is_named_and_the_rest_of_the_page_is_shown(shown, tmp_path, text):
    (tmp_path / UPLIFT).write_text(text)

    page = shown("/policy", Published(tmp_path))

    assert "again" in page
    assert "Alerts by week" in page


def test_thresholds_in_words_are_those_in_force():
    other = basis('[at_risk_loyal.hysteresis]\nraise_at = 0.7\nclear_at = 0.3\nexpire = "20d"\n')

    lines = " ".join(line for section in rule_sections(other) for line in section.lines)

    assert "reaches 70; urgent from 85; cleared below 30." in lines
    assert "ends by itself after 20 days" in lines


def test_alerts_by_week_add_up_to_those_that_were_raised(shop):
    store, view = shop
    start_ms = view.day_starts_ms(7 * 26)[0]
    with store.reading() as reading:
        weeks = alert_weeks(reading, view)
        raised = reading.one("SELECT COUNT(*) FROM alerts WHERE state = 'raised' AND at_ms >= ?", [start_ms])[
            0
        ]

    assert sum(number for kind in weeks for _, number in kind.rows) == raised > 0
    assert [len(kind.rows) for kind in weeks] == [26] * 3


def judged(**episodes):
    return Judgement(episodes=episodes, contacts=[at(99)] * 5)


@pytest.mark.parametrize(
    ("judgement", "why"),
    [
        (judged(), []),
        (judged(churn_risk=Episode("raised", 1)), []),
        (judged(churn_risk=Episode("idle", 1)), []),
        (judged(churn_risk=Episode("idle", 1, armed=False)), [("churn_risk", "expired")]),
        (judged(churn_risk=Episode("pending", 1, at(50))), [("churn_risk", "raising_limit")]),
        (judged(churn_risk=Episode("pending", 1, at(50), closed_ms=at(90))), [("churn_risk", "cool_down")]),
        (
            judged(churn_risk=Episode("pending", 1, at(50)), at_risk_loyal=Episode("raised", 1)),
            [("churn_risk", "other_open")],
        ),
    ],
)
def test_why_an_alert_is_held_back_follows_from_the_judgement(judgement, why):
    assert [*held_back(judgement, at(100), basis())] == why
    assert all(reason in HELD_WORDS for _, reason in why)


def test_how_many_are_held_back_is_counted_by_reason(shop):
    store, view = shop
    with store.reading() as reading:
        rows = held_rows(reading, view)
        kept = reading.rows("SELECT held FROM customers WHERE held <> ''")

    assert sum(row.customers for row in rows) == sum(len(held.split()) for (held,) in kept) > 0


def test_a_shop_of_purchases_alone_has_panes_without_empty_tables(tmp_path, shown):
    shop = Shop(customers=60, days=200)
    events = [one for one in generated_events(shop, Disorder(), None) if isinstance(one, PurchaseCompleted)]
    path = write_events(events, tmp_path / "events.jsonl")
    answer = CliRunner().invoke(main, ["report", str(path), "--publish", str(tmp_path), "--jobs", "1"])
    assert answer.exit_code == 0, answer.output

    for pane in ("/won", "/grown", "/kept"):
        tables = re.findall(r"<tbody>(.*?)</tbody>", shown(pane, Published(tmp_path)))
        assert [table for table in tables if "<td" not in table] == []


def test_the_sentences_of_the_last_report_stand_below_the_list_of_today(shop, folder, tmp_path):
    store, view = shop

    def shown(published):
        with store.reading() as reading:
            return today_page(Pages(view, None, published), reading, {})[0]

    (tmp_path / REPORT).write_text("{}")
    text = shown(Published(folder))
    assert text.index("The business as of") > text.index("</table>")
    assert "Who matters most are" in text
    for published in (Published(), Published(tmp_path)):
        assert "The business as of" not in shown(published)
