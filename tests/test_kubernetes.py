"""deploy/k8s is valid by the schemas, with settings that fit, and probes that no outage of Kafka trips."""

import copy
import re
import runpy
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from stream.commands.main import main
from stream.config.environment import load_settings
from stream.config.settings import SECRETS
from tests.support.command_tree import all_commands
from tests.support.kubernetes_schemas import problems
from tests.support.programs import program

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "k8s"
OVERLAYS = ("dev", "prod")
SECRET = "a-secret-of-24-characters"
CONTAINER = ("spec", "template", "spec", "containers", 0)
NO_RESOURCES = {"kustomization.yaml", "queue.yaml"}
"""Patches are parts of resources; those of components/strimzi are named like what they change."""


def documents(*paths: Path) -> list[dict]:
    return [each for path in paths for each in yaml.safe_load_all(path.read_text())]


WRITTEN = documents(
    *(path for path in sorted(FOLDER.glob("base/*.yaml")) if path.name not in NO_RESOURCES),
    *(FOLDER / "components" / name for name in ("keda/deliver.yaml", "prometheus-operator/pods.yaml")),
    *sorted(FOLDER.glob("components/strimzi/[tu]*s.yaml")),
    FOLDER / "components/prometheus-operator/rules.yaml",
)
"""Every resource as it is written, before an overlay changes it."""


@pytest.fixture(scope="module")
def kustomize():
    return program("kustomize", "go")


@pytest.fixture(scope="module", params=OVERLAYS)
def built(request, kustomize) -> list[dict]:
    text, content = kustomize("build", FOLDER / "overlays" / request.param)
    assert content, text
    return list(yaml.safe_load_all(text))


def of_kind(resources: list[dict], *kinds: str) -> list[dict]:
    return [each for each in resources if each["kind"] in kinds]


def named(resources: list[dict], kind: str, name: str) -> dict:
    (found,) = (each for each in of_kind(resources, kind) if each["metadata"]["name"] == name)
    return found


def pods(resources: list[dict]) -> list[dict]:
    return [each["spec"]["template"] for each in of_kind(resources, "StatefulSet", "Deployment", "Job")]


def container(template: dict) -> dict:
    only: dict
    (only,) = template["spec"]["containers"]
    return only


def title(resource: dict) -> str:
    return f"{resource['kind']} {resource['metadata']['name']}"


@pytest.mark.parametrize("resource", WRITTEN, ids=title)
def test_a_resource_is_valid_as_it_is_written(resource):
    assert problems(resource) == []


def test_what_the_overlays_make_of_them_is_valid(built):
    assert [problem for resource in built for problem in problems(resource)] == []
    assert {each["metadata"].get("namespace") for each in built if each["kind"] != "Namespace"} == {
        named(built, "Namespace", of_kind(built, "Namespace")[0]["metadata"]["name"])["metadata"]["name"]
    }


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("StatefulSet", ("spec", "replica"), 3),
        ("StatefulSet", ("spec", "replicas"), "three"),
        ("StatefulSet", (*CONTAINER, "livenessProbe", "period"), 5),
        ("StatefulSet", (*CONTAINER, "resources", "limits", "memory"), "4Gb"),
        ("PodDisruptionBudget", ("spec", "maxUnavailable"), True),
        ("NetworkPolicy", ("spec", "policyType"), ["Ingress"]),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "topik"), "x"),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "15 s"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "fore"), "5m"),
        ("KafkaTopic", ("spec", "partitions"), 0),
        ("KafkaUser", ("spec", "authorization", "acls", 0, "operations", 0), "Reed"),
        ("Job", ("apiVersion",), "batch/v0"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(kind, path, value):
    resource = copy.deepcopy(of_kind(WRITTEN, kind)[0])
    place = resource
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    assert len(problems(resource)) >= 1


def test_kustomize_finds_a_patch_of_something_that_is_not_there(kustomize, tmp_path):
    broken = shutil.copytree(FOLDER, tmp_path / "k8s")
    patch = broken / "components" / "strimzi" / "worker.yaml"
    patch.write_text(patch.read_text().replace("name: customer-stream\n", "name: customer-streem\n", 1))

    text, content = kustomize("build", broken / "overlays" / "prod")

    assert not content
    assert "customer-streem" in text


def test_topics_users_and_rules_are_those_of_their_sources():
    source = runpy.run_path(str(FOLDER / "generate.py"))

    for path, text in source["files"]().items():
        assert path.read_text() == text, "python deploy/k8s/generate.py"


def test_the_rules_are_those_of_prometheus():
    (rule,) = of_kind(WRITTEN, "PrometheusRule")

    assert rule["spec"] == yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())


def test_prometheus_finds_every_process_under_the_job_that_the_rules_name():
    (monitor,) = of_kind(WRITTEN, "PodMonitor")
    jobs = set(re.findall(r'job="([^"]+)"', (FOLDER.parent / "prometheus" / "rules.yml").read_text()))
    ported = [each for each in pods(WRITTEN) if container(each).get("ports")]

    assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
    assert {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in ported} == jobs
    assert {each["name"] for one in ported for each in container(one)["ports"]} == {"http"}


def environment(template: dict, resources: list[dict], folder: Path) -> dict[str, str]:
    """What a process sees; the address of a pod, and each file of a secret, as they might be."""
    (source,) = container(template)["envFrom"]
    given = dict(named(resources, "ConfigMap", source["configMapRef"]["name"])["data"])
    for each in container(template).get("env", []):
        given[each["name"]] = each.get("value", "10.1.2.3")
    mounts = [each["mountPath"] for each in container(template)["volumeMounts"]]
    for name in (each for each in given if each.endswith("_FILE")):
        assert any(given[name].startswith(f"{mount}/") for mount in mounts), f"{name} is not mounted"
        file = folder / name
        file.write_text(SECRET)
        given[name] = str(file)
    return given


def test_every_process_starts_with_settings_that_are_right(built, tmp_path, monkeypatch):
    monkeypatch.setattr("stream.config.checks._holds_certificates", lambda path: True)
    for template in pods(built):
        given = environment(template, built, tmp_path)

        settings = load_settings(given)

        workers = named(built, "StatefulSet", "customer-stream")["spec"]["replicas"]
        assert workers <= settings.partitions, "one more would never be ready"
        unknown = {name for name in given if name.startswith("STREAM_")} - known()
        assert unknown == set()
        if settings.security != "PLAINTEXT":
            assert settings.sasl_username in {
                each["metadata"]["name"] for each in of_kind(built, "KafkaUser")
            }


def known() -> set[str]:
    files = {f"STREAM_{name.upper()}_FILE" for name in SECRETS}
    return files | set(re.findall(r"`(STREAM_[A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text()))


def test_every_process_is_a_command():
    commands = {name for name, _ in all_commands(main, "stream")}

    for template in pods(WRITTEN):
        words = [each for each in container(template)["args"] if not each.startswith(("-", "/"))]
        assert " ".join(["stream", *words]) in commands


def test_no_secret_stands_in_a_manifest(built):
    for template in pods(built):
        for each in container(template).get("env", []):
            if re.search(r"PASSWORD|KEY|SECRET|TOKEN", each["name"]) and not each["name"].endswith("_FILE"):
                assert "secretKeyRef" in each["valueFrom"], each["name"]
    for each in of_kind(built, "ConfigMap"):
        assert not {f"STREAM_{name.upper()}" for name in SECRETS} & set(each["data"])
    assert of_kind(built, "Secret") == []


@pytest.mark.parametrize("template", pods(WRITTEN), ids=lambda each: str(each["metadata"]["labels"]))
def test_a_pod_has_no_rights_on_its_node(template):
    spec, only = template["spec"], container(template)

    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001, "the user of the Dockerfile"
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in only["resources"]["limits"]


def test_no_outage_of_kafka_ends_a_pod_and_an_update_waits_until_a_worker_works():
    """/healthz looks at the process alone: tests/worker/test_frozen_broker.py and test_joining.py ask it
    while Kafka is frozen, and before it is there."""
    for resource in of_kind(WRITTEN, "StatefulSet", "Deployment"):
        only = container(resource["spec"]["template"])
        for probe in ("startupProbe", "livenessProbe"):
            assert only[probe]["httpGet"]["path"] == "/healthz"
            assert only[probe]["timeoutSeconds"] >= 5
        assert only["livenessProbe"]["periodSeconds"] * only["livenessProbe"]["failureThreshold"] >= 60
        assert only["readinessProbe"]["httpGet"]["path"] == "/readyz"
        patience_s = only["startupProbe"]["periodSeconds"] * only["startupProbe"]["failureThreshold"]
        assert patience_s >= 60


def test_a_worker_that_is_started_again_is_the_same_member_with_the_same_rows():
    workers = named(WRITTEN, "StatefulSet", "customer-stream")["spec"]
    only = container(workers["template"])
    given = {each["name"]: each for each in only["env"]}
    starts_s = only["startupProbe"]["periodSeconds"] * only["startupProbe"]["failureThreshold"]
    stops_s = workers["template"]["spec"]["terminationGracePeriodSeconds"]
    (claim,) = workers["volumeClaimTemplates"]
    mounts = {each["name"]: each["mountPath"] for each in only["volumeMounts"]}

    assert given["STREAM_INSTANCE_ID"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert int(given["STREAM_SESSION_TIMEOUT_S"]["value"]) > starts_s + stops_s
    assert given["STREAM_STORE"]["value"] == "rocksdb"
    assert given["STREAM_DATA_DIR"]["value"].startswith(mounts[claim["metadata"]["name"]])
    assert workers["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }


def test_of_the_workers_only_one_at_a_time_is_taken_away():
    budget = named(WRITTEN, "PodDisruptionBudget", "customer-stream")["spec"]

    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == named(WRITTEN, "StatefulSet", "customer-stream")["spec"]["selector"]


def test_nobody_reaches_a_pod_but_who_is_named():
    policies = of_kind(WRITTEN, "NetworkPolicy")
    first = named(WRITTEN, "NetworkPolicy", "customer-stream")["spec"]

    assert first["podSelector"] == {"matchLabels": {"app.kubernetes.io/part-of": "customer-stream"}}
    assert first["policyTypes"] == ["Ingress", "Egress"]
    for policy in policies:
        for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", []):
            assert rule.get("from") or rule.get("to"), title(policy)
            assert rule["ports"], title(policy)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("endpoints.toml")), ids=str)
def test_an_example_of_endpoints_is_right(path, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    text = re.sub(r'"/run/secrets/endpoints/\w+"', f'"{secret}"', path.read_text())
    (tmp_path / "endpoints.toml").write_text(text)

    shown = CliRunner().invoke(main, ["deliver", "check", "--endpoints", str(tmp_path / "endpoints.toml")])

    assert shown.exit_code == 0, shown.output
