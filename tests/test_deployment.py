"""Image, compose file, Prometheus rules and runbook name only settings, metrics and headings that exist."""

import base64
import os
import re
import runpy
import subprocess
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.config.environment import DEFAULTS, TYPES, load_settings, variable
from stream.config.settings import SECRETS
from stream.deliver.endpoints.file import load_endpoints
from stream.deliver.plan.signature import signed_headers
from stream.metrics import Metrics, families
from tests.support.builders import START_MS
from tests.support.kafka_jars import KAFKA_VERSION
from tests.support.metric_names import metrics_named, series

ROOT = Path(__file__).parent.parent
RULES = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
KNOWN = {variable(name) for name in TYPES} | {variable(name) + "_FILE" for name in SECRETS}
KEYS = ("STREAM_ERASURE_KEY", "STREAM_LOG_KEY", "RECEIVER_SECRET")
NO_SETTINGS = {"STREAM_DEBUG", "STREAM_TEST_REQUIRE", "STREAM_TEST_BROKER"}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVED = {name: each for name, each in COMPOSE["services"].items() if "restart" in each}
"""The services that go on; the others do their work and end."""


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
    compose = COMPOSE
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
    service = COMPOSE["services"]["stream"]

    assert service["profiles"], "it must not start by `docker compose up`"
    assert [mount for mount in service["volumes"] if mount.startswith("./")] == ["./:/data:ro"]
    assert service["environment"]["STREAM_BROKERS"].startswith("kafka:")


@pytest.mark.parametrize(
    ("owner", "variable"), [("dashboard", "STREAM_DASHBOARD_STORE"), ("deliver", "STREAM_DELIVER_QUEUE")]
)
def test_commands_in_compose_see_the_stores_of_the_processes(owner, variable):
    """Else `erase` would say of a queue that it is absent, and `export` leave out what a store holds."""
    tools, process = COMPOSE["services"]["stream"], COMPOSE["services"][owner]

    assert seen_as(tools, variable) == seen_as(process, variable) == (owner, f"{owner}.db")


def seen_as(service: dict[str, Any], variable: str) -> tuple[str, str]:
    """Volume and file that a setting of a service names."""
    place = Path(service["environment"][variable])
    mounts = dict(each.split(":")[1::-1] for each in service["volumes"] if not each.startswith(("./", "$")))
    return mounts[str(place.parent)], place.name


def test_what_studies_publish_is_shown_by_the_dashboards_of_compose_and_kubernetes():
    pods = yaml.safe_load_all((ROOT / "deploy" / "k8s" / "base" / "dashboard.yaml").read_text())
    (pod,) = [each for each in pods if each["kind"] == "Deployment"]
    (container,) = pod["spec"]["template"]["spec"]["containers"]
    for words, folders in (
        (COMPOSE["services"]["dashboard"]["command"], ["/var/lib/stream"]),
        (container["args"], [each["mountPath"] for each in container["volumeMounts"]]),
    ):
        assert words[words.index("--published") + 1] in folders


def test_every_server_is_on_loopback_unless_it_is_told_otherwise():
    assert (DEFAULTS.http_host, DEFAULTS.dashboard_host) == ("127.0.0.1", "127.0.0.1")


def test_everything_published_by_compose_is_published_on_loopback():
    text = (ROOT / "docker-compose.yml").read_text()
    ports = re.findall(r'ports: \["([^"]+)"\]', text)

    assert len(ports) == text.count("ports:")
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_has_a_dashboard_that_keeps_its_store_and_is_asked_for_its_health():
    compose = COMPOSE
    service = compose["services"]["dashboard"]

    assert service["command"] == ["dashboard", "--published", "/var/lib/stream"]
    assert service["environment"]["STREAM_DASHBOARD_STORE"] == "/var/lib/stream/dashboard.db"
    assert service["volumes"] == ["dashboard:/var/lib/stream"]
    assert "dashboard" in compose["volumes"]
    assert service["environment"]["STREAM_DASHBOARD_HOST"] == "0.0.0.0"
    assert f"127.0.0.1:{DEFAULTS.dashboard_port}/healthz" in service["healthcheck"]["test"][-1]


def test_compose_starts_all_that_is_needed_at_once_and_the_rest_by_a_profile():
    asked = {name: each.get("profiles", []) for name, each in COMPOSE["services"].items()}
    ours = {"kafka", "topics", "worker", "dashboard", "deliver", "receiver"}

    assert {name for name, profiles in asked.items() if not profiles} == ours | {
        "prometheus",
        "alertmanager",
        "grafana",
    }
    assert {name: profiles for name, profiles in asked.items() if profiles} == {
        "stream": ["tools"],
        "demo": ["demo"],
    }


@pytest.mark.parametrize("name", SERVED)
def test_a_service_that_goes_on_starts_again_and_is_asked_for_its_health(name):
    service = SERVED[name]

    assert service["restart"] == "unless-stopped", "also after the machine was started again"
    assert "healthcheck" in service or name == "worker", "the image's own check is that of a worker"
    assert {"topics", "stream", "demo"} == set(COMPOSE["services"]) - set(SERVED)


def test_images_of_others_are_pinned_and_can_be_named_by_the_environment():
    images = [each["image"] for each in COMPOSE["services"].values() if "build" not in each]

    assert len(images) == 4
    for image in images:
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z]+/[a-z]+:v?\d+\.\d+\.\d+\}", image), image
    kafka = COMPOSE["services"]["kafka"]["image"]
    assert KAFKA_VERSION in kafka or "STREAM_TEST_KAFKA" in os.environ
    for page in ("docs/limits.md", "docs/install.md", "bench/README.md"):
        assert re.findall(r"[\d.]+\d", kafka)[0] in (ROOT / page).read_text(), page


def test_a_key_that_is_missing_is_named_and_how_it_is_made_not_taken_for_empty():
    text = (ROOT / "docker-compose.yml").read_text()
    named = {
        name: words for name, words in re.findall(r"\$\{([A-Z_]+)([^}]*)\}", text) if "IMAGE" not in name
    }

    assert {name for name, words in named.items() if words.startswith("?")} == set(KEYS)
    assert all("deploy/compose/keys .env" in named[name] for name in KEYS)
    assert {name for name in named if name not in KEYS} == {
        "STREAM_DASHBOARD_MASK_KEY",
        "ENDPOINTS",
        "PROMETHEUS_FILES",
    }


def test_keys_are_made_once_at_random_and_none_that_is_there_is_changed(tmp_path):
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    first.write_text("STREAM_LOG_KEY=mine")
    for file in (first, first, second):
        subprocess.run(["sh", ROOT / "deploy" / "compose" / "keys", file], check=True, capture_output=True)
    kept, other = (
        dict(line.split("=", 1) for line in file.read_text().splitlines()) for file in (first, second)
    )

    assert list(kept) == ["STREAM_LOG_KEY", "STREAM_ERASURE_KEY", "RECEIVER_SECRET"]
    assert kept["STREAM_LOG_KEY"] == "mine"
    assert kept["STREAM_ERASURE_KEY"] != other["STREAM_ERASURE_KEY"]
    assert set(other) == set(KEYS)
    assert second.stat().st_mode & 0o077 == 0, "they are nobody else's"
    load_settings({name: value for name, value in other.items() if name.startswith("STREAM_")})


def test_the_receiver_of_compose_takes_what_deliver_signs_and_nothing_else():
    receiver = runpy.run_path(str(ROOT / "deploy" / "compose" / "receiver.py"))
    headers = Message()
    for name, value in signed_headers([b"k" * 32], "id", START_MS, b"{}").items():
        headers[name] = value

    assert receiver["is_signed"](headers, b"{}", b"k" * 32)
    assert not receiver["is_signed"](headers, b"[]", b"k" * 32)
    assert not receiver["is_signed"](headers, b"{}", b"l" * 32)
    assert not receiver["is_signed"](Message(), b"{}", b"k" * 32)


def test_the_endpoints_of_compose_lead_to_the_receiver_of_compose():
    file = ROOT / "deploy" / "compose" / "endpoints.toml"
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    (endpoint,) = load_endpoints(file, {"RECEIVER_SECRET": secret}, START_MS).by_name.values()

    assert endpoint.url == "http://receiver:9099/alerts"
    assert "receiver" in COMPOSE["services"]
