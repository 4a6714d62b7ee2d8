"""`stream uplift` on files: numbers, words, gauges, a plan, and what it refuses in one line."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from stream.analysis.uplift.document import FORMAT
from stream.commands.main import main
from stream.page.published import UPLIFT
from tests.support.pages import text_of
from tests.support.trial_shop import TrialShop, in_files, written

SHOP = TrialShop(customers=6_000, share=0.3, salt="w", effect={"platinum": 0.25})


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The options that name the files of a shop with an effect on platinum."""
    events, alerts, deliveries = in_files(written(SHOP), tmp_path_factory.mktemp("shop"))
    return [str(events), "--alerts", str(alerts), "--deliveries", str(deliveries)]


def run(*arguments):
    return CliRunner().invoke(main, ["uplift", *map(str, arguments)])


def test_it_says_in_words_whom_acting_on_alerts_helps(shop):
    done = run(*shop)

    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Of experiment w of policy default, 30% held out, periods from 2025-01-01.")
    assert "Platinum tier: it helps" in lines
    assert [line.split()[0] for line in lines if re.match(r"\w+ tier: ", line)] == [
        "Platinum",
        "Gold",
        "Silver",
    ]
    assert re.search(r"bought again: \d\d\.\d% of [\d,]+ treated, .* points more \(between \+", done.stdout)


def test_json_is_what_is_published_and_what_the_page_of_words_explains(shop, tmp_path):
    done = run(*shop, "--json", "--publish", tmp_path / "kept")

    printed = json.loads(done.stdout)
    assert json.loads((tmp_path / "kept" / UPLIFT).read_text()) == printed
    assert printed["format"] == FORMAT
    assert printed["tiers"]["platinum"]["verdict"] == "helps"
    page = text_of("docs/uplift.md")
    named = {
        *printed,
        *printed["customers"],
        *printed["experiment"],
        *printed["all"],
        *printed["sample_ratio"],
    }
    assert {name for name in {*named, *printed["all"]["repurchase"]} if f"`{name}`" not in page} == set()


def test_gauges_are_what_prometheus_reads(shop, tmp_path):
    run(*shop, "--prometheus", tmp_path / "u.prom")

    families = list(text_string_to_metric_families((tmp_path / "u.prom").read_text()))
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for each in families
        for sample in each.samples
    }
    printed = json.loads(run(*shop, "--json").stdout)
    name = "customer_stream_uplift_repurchase_difference"
    assert values[name, "all", "low", "platinum"] == printed["tiers"]["platinum"]["repurchase"]["low"] > 0
    assert values["customer_stream_uplift_customers", "held_out"] == printed["customers"]["held_out"]


def test_arms_that_were_not_drawn_by_chance_are_exit_code_1(tmp_path):
    found = written(SHOP)
    found.deliveries = [line for n, line in enumerate(found.deliveries) if n % 3 or b"holdout" not in line]
    events, alerts, deliveries = in_files(found, tmp_path)

    done = run(events, "--alerts", alerts, "--deliveries", deliveries)

    assert done.exit_code == 1
    assert "every figure is hidden" in done.stdout
    assert (
        json.loads(run(events, "--alerts", alerts, "--deliveries", deliveries, "--json").stdout)["all"]
        is None
    )


def test_a_plan_names_share_and_months(shop):
    done = run("plan", *shop[:3], "--effect", "0.04")
    as_json = json.loads(run("plan", *shop[:3], "--effect", "0.04", "--json").stdout)

    assert done.exit_code == 0, done.stderr
    assert re.search(r"Hold out \d+% for \d+ months?: [\d,]+ of [\d,]+ customers are left alone", done.stdout)
    assert as_json["proposed"]["visible"] <= 0.04
    assert len(as_json["options"]) == 30


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["readout"], "name files (events, and --alerts), or --from-kafka"),
        (["--from-kafka", "--alerts", "{alerts}"], "name files (events, and --alerts), or --from-kafka"),
        (["{events}"], "with --alerts, those of alerts"),
        (
            ["{events}", "--alerts", "{events}"],
            "no alert is in an experiment: set [experiment] in the policy",
        ),
        (["{events}", "--alerts", "{alerts}", "--salt", "x"], "the salt 'x'; there are: w"),
        (
            ["{events}", "--alerts", "{alerts}", "--deliveries", "{events}"],
            "was sent or would have been sent",
        ),
        (["{events}", "--alerts", "{alerts}", "--window", "soon"], "'soon' is not a duration"),
        (["{events}", "--alerts", "{alerts}", "--worth", "0"], "0.0 is not in the range"),
        (["{events}", "--alerts", "{alerts}", "--prometheus", "{alerts}"], "are the same file"),
        (["plan", "{events}", "--alerts", "{events}"], "of 0 customers with alerts none has a window"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(shop, arguments, refusal):
    done = run(*(each.format(events=shop[0], alerts=shop[2]) for each in arguments))

    assert done.exit_code == 2
    assert refusal in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr


def test_a_clock_that_is_behind_sets_events_aside_and_compares_what_is_over(shop):
    done = run(*shop, "--now", "2025-03-01", "--json")

    printed = json.loads(done.stdout)
    assert printed["as_of"] == "2025-03-01T00:00:00.000Z"
    assert 0 < printed["customers"]["window_over"] < printed["customers"]["all"]
