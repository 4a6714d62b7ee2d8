"""What is open and at stake, for Prometheus: the numbers of the first page."""

import pytest
from prometheus_client import generate_latest

from stream.metrics import DashboardMetrics
from stream.page.web.alert_gauges import watch_open


def gauges_of(store, view) -> dict[str, float]:
    metrics = DashboardMetrics()
    watch_open(metrics, store, lambda: view)
    lines = generate_latest(metrics.registry).decode().splitlines()
    samples = (each.rpartition(" ") for each in lines if each.startswith("customer_stream_dashboard"))
    return {left: float(value) for left, _, value in samples if "{" in left}


def test_prometheus_has_the_open_alerts_and_the_stakes_of_each_kind(shop):
    store, view = shop
    found = gauges_of(store, view)
    sql = "SELECT kind, currency, COUNT(*), SUM(stake_mean) FROM open_alerts GROUP BY kind, currency"
    with store.reading() as reading:
        rows = reading.rows(sql)

    assert {row[0] for row in rows} >= {"at_risk_loyal", "churn_risk"}
    for kind, currency, alerts, mean in rows:
        labels = f'{{currency="{currency}",kind="{kind}"}}'
        assert found[f"customer_stream_dashboard_open_alerts{labels}"] == alerts
        assert found[f"customer_stream_dashboard_at_stake_minor{labels}"] == pytest.approx(mean)
    assert sum(found.values()) == pytest.approx(sum(row[2] + row[3] for row in rows))
