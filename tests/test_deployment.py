"""Image, compose file, Prometheus rules and runbook name only settings, metrics and headings that exist."""

import re
from pathlib import Path

import pytest
import yaml

from stream.config.environment import DEFAULTS, TYPES, variable
from stream.config.settings import SECRETS
from stream.metrics import Metrics, families
from tests.support.metric_names import metrics_named, series

ROOT = Path(__file__).parent.parent
RULES = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
KNOWN = {variable(name) for name in TYPES} | {variable(name) + "_FILE" for name in SECRETS}
NO_SETTINGS = {"STREAM_DEBUG", "STREAM_TEST_REQUIRE", "STREAM_TEST_BROKER"}


@pytest.mark.parametrize(
    "name", ["Dockerfile", "docker-compose.yml", "README.md", "CONTRIBUTING.md", "docs/runbook.md"]
)
def test_every_setting_that_is_named_exists(name):
    named = set(re.findall(r"\bSTREAM_[A-Z_]*[A-Z]\b(?!_?\*)", (ROOT / name).read_text()))

    assert named - KNOWN - NO_SETTINGS == set()


def test_every_metric_that_is_named_exists():
    histograms = {family.name for family in families(Metrics()) if family.type == "histogram"}

    assert metrics_named(RULES) - series() == set()
    assert metrics_named(RUNBOOK) - series() - histograms == set()


def test_every_alert_is_a_heading_of_the_runbook():
    alerts = re.findall(r"^ +- alert: (\w+)$", RULES, flags=re.MULTILINE)
    headings = re.findall(r"^## (\w+)$", RUNBOOK, flags=re.MULTILINE)

    assert alerts
    assert alerts == [heading for heading in headings if heading != "By"][: len(alerts)]
    assert re.findall(r'runbook\.md#(\w+)"$', RULES, flags=re.MULTILINE) == [
        alert.lower() for alert in alerts
    ]


def test_the_image_runs_without_root():
    stages = (ROOT / "Dockerfile").read_text().split("FROM ")

    assert "USER 10001:10001" in stages[-1]


def test_workers_of_compose_can_be_scaled():
    """Each needs a port and a folder of its own, and Prometheus asks every one of them."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    worker, partitions = compose["services"]["worker"], int(compose["x-settings"]["STREAM_PARTITIONS"])
    (ports,) = worker["ports"]
    ((first, last),) = re.findall(r"^127\.0\.0\.1:(\d+)-(\d+):6066$", ports)
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())

    assert int(last) - int(first) + 1 == partitions
    assert "volumes" not in worker, "a named volume would be one folder for all"
    assert "container_name" not in worker
    assert "VOLUME /var/lib/stream" in (ROOT / "Dockerfile").read_text()
    assert prometheus["scrape_configs"][0]["dns_sd_configs"][0]["names"] == ["worker"]


def test_compose_has_a_service_for_any_command_that_changes_nothing_of_the_folder():
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["stream"]

    assert service["profiles"], "it must not start by `docker compose up`"
    assert [mount for mount in service["volumes"] if not mount.endswith(":ro")] == []
    assert service["environment"]["STREAM_BROKERS"].startswith("kafka:")


def test_every_server_is_on_loopback_unless_it_is_told_otherwise():
    assert (DEFAULTS.http_host, DEFAULTS.dashboard_host) == ("127.0.0.1", "127.0.0.1")


def test_everything_published_by_compose_is_published_on_loopback():
    text = (ROOT / "docker-compose.yml").read_text()
    ports = re.findall(r'ports: \["([^"]+)"\]', text)

    assert len(ports) == text.count("ports:")
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_has_a_dashboard_that_keeps_its_store_and_is_asked_for_its_health():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    service = compose["services"]["dashboard"]

    assert service["command"] == ["dashboard", "--store", "/var/lib/stream/dashboard.db"]
    assert service["volumes"] == ["dashboard:/var/lib/stream"]
    assert "dashboard" in compose["volumes"]
    assert service["environment"]["STREAM_DASHBOARD_HOST"] == "0.0.0.0"
    assert f"127.0.0.1:{DEFAULTS.dashboard_port}/healthz" in service["healthcheck"]["test"][-1]
