"""The dashboard serves the published readout of an experiment, so that a rule of Prometheus sees it."""

import json

import pytest
from prometheus_client import generate_latest

from stream.metrics import DashboardMetrics, watch_uplift
from stream.page.published import Published

READOUT = {
    "experiment": {},
    "headline": "",
    "customers": {"treated": 900, "held_out": 40},
    "sample_ratio": {"p": 0.0002, "fits": False},
    "all": None,
    "kinds": {},
    "tiers": {"platinum": {"repurchase": {"value": 0.06, "low": 0.01, "high": 0.11}}},
}


def gauges_of(folder) -> str:
    metrics = DashboardMetrics()
    watch_uplift(metrics.gauges, Published(folder).uplift_readout)
    return generate_latest(metrics.registry).decode()


def test_what_was_published_is_served(tmp_path):
    (tmp_path / "uplift.json").write_text(json.dumps(READOUT))
    text = gauges_of(tmp_path)

    assert "customer_stream_uplift_sample_ratio_p 0.0002" in text
    assert 'customer_stream_uplift_customers{arm="held_out"} 40.0' in text
    labels = 'bound="low",kind="all",tier="platinum"'
    assert f"customer_stream_uplift_repurchase_difference{{{labels}}} 0.01" in text
    written_s = (tmp_path / "uplift.json").stat().st_mtime
    line = next(each for each in text.splitlines() if each.startswith("customer_stream_uplift_computed"))
    assert float(line.split()[1]) == pytest.approx(written_s, abs=0.01)


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"headline": "x"})])
def test_without_a_readout_there_is_no_sample_and_the_other_metrics_are_served(tmp_path, content):
    if content is not None:
        (tmp_path / "uplift.json").write_text(content)
    samples = [each for each in gauges_of(tmp_path).splitlines() if not each.startswith("#")]

    assert not [each for each in samples if "uplift" in each]
    assert samples
