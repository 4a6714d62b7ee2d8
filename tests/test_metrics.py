"""Metrics: names and labels follow the rules, values come from closed sets, each metric is described."""

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from stream.metrics import (
    LABELS,
    NAMESPACE,
    OTHER,
    DashboardMetrics,
    DeliveryMetrics,
    Metrics,
    UpliftMetrics,
    families,
    label_names,
    metrics_page,
)

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"
SETS = (Metrics(), DeliveryMetrics(), DashboardMetrics(), UpliftMetrics())
EVERY_FAMILY = [family for each in SETS for family in families(each)]
FORBIDDEN_UNITS = re.compile(r"_(ms|millis|milliseconds|us|minutes|hours|kb|mb|percent)(_|$)")


def scraped(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_names_have_our_prefix_lower_case_and_base_units():
    for family in EVERY_FAMILY:
        assert re.fullmatch(rf"{NAMESPACE}(_[a-z]+)+", family.name), family.name
        assert not FORBIDDEN_UNITS.search(family.name), family.name
        assert family.type != "histogram" or family.name.endswith("_seconds"), family.name
        assert family.type != "gauge" or not family.name.endswith("_total"), family.name


def test_labels_come_from_the_one_list():
    named = [labels for each in SETS for labels in label_names(each).values()]

    assert {label for labels in named for label in labels} <= LABELS


def test_every_metric_says_what_it_means():
    for family in EVERY_FAMILY:
        assert family.documentation.endswith("."), family.name


def test_a_count_is_added_to_by_the_batch():
    metrics = Metrics()

    metrics.events.add(500, "t", "purchase.completed", "applied")
    metrics.events.add(2, "t", "purchase.completed", "applied")

    assert (
        'customer_stream_events_total{outcome="applied",topic="t",type="purchase.completed"} 502.0'
        in scraped(metrics)
    )


def test_a_value_outside_the_closed_set_is_other():
    metrics = Metrics(closed={"type": ["purchase.completed"]})

    metrics.events.add(1, "t", "evil{} \n", "applied")

    assert f'type="{OTHER}"' in scraped(metrics)
    assert "evil" not in scraped(metrics)


def test_endless_label_values_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("stream.metrics.instruments.CHILDREN_MAX", 3)
    metrics = Metrics()

    for number in range(10):
        metrics.dead_letters.add(1, "t", f"reason-{number}")

    lines = [line for line in scraped(metrics).splitlines() if "dead_letters_total{" in line]
    assert len(lines) == 3 + 1
    assert f'customer_stream_dead_letters_total{{reason="{OTHER}",topic="{OTHER}"}} 7.0' in lines


def test_a_gauge_is_read_at_the_scrape():
    metrics = Metrics()
    lag: dict[tuple[str, ...], float] = {("purchases", "0"): 5.0}
    metrics.gauges.watch("consumer_lag_records", lambda: lag)
    before = scraped(metrics)
    lag[("purchases", "0")] = 0.0

    line = 'customer_stream_consumer_lag_records{partition="0",topic="purchases"}'
    assert f"{line} 5.0" in before
    assert f"{line} 0.0" in scraped(metrics)


def test_a_gauge_that_was_not_declared_is_an_error():
    with pytest.raises(AssertionError):
        Metrics().gauges.watch("temperature", dict)


def test_two_processes_in_one_do_not_share_a_registry():
    first, second = Metrics(), Metrics()

    first.rebalances.add(1)

    assert "customer_stream_rebalances_total 1.0" in scraped(first)
    assert "customer_stream_rebalances_total 0.0" in scraped(second)


def test_build_info_names_the_version():
    assert 'customer_stream_build_info{python="' in scraped(Metrics())


def test_docs_metrics_md_is_up_to_date():
    assert PAGE.read_text() == metrics_page(), "python -m stream.metrics > docs/metrics.md"
