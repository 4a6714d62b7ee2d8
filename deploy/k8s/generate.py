"""Writes what deploy/k8s takes from elsewhere: topics and users of Strimzi, rules of Prometheus.

python deploy/k8s/generate.py; a test holds that the files are what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import yaml

from stream.config.settings import Settings
from stream.worker.kafka.rights import Acl, User, rights_of
from stream.worker.kafka.topics import topic_plans

FOLDER = Path(__file__).parent
CLUSTER = "kafka"  # name of Strimzi's cluster
PRODUCTION = Settings(replication=3)
HEAD = "# Written by deploy/k8s/generate.py from {}: do not change it here.\n"
STRIMZI = "kafka.strimzi.io/v1"


def files() -> dict[Path, str]:
    """Path -> text of every file that is written."""
    components = FOLDER / "components"
    rules = yaml.safe_load((FOLDER.parent / "prometheus" / "rules.yml").read_text())
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "customer-stream"},
        "spec": rules,
    }
    topics = [_topic(plan.name, plan.partitions, plan.replication, plan.config) for plan in PLANS]
    users = [_user(name) for name in get_args(User)]
    return {
        components / "strimzi" / "topics.yaml": _text("stream/worker/kafka/topics.py", topics),
        components / "strimzi" / "users.yaml": _text("stream/worker/kafka/rights.py", users),
        components / "prometheus-operator" / "rules.yaml": _text("deploy/prometheus/rules.yml", [rule]),
    }


PLANS = topic_plans(PRODUCTION)


def _text(source: str, resources: list[dict[str, Any]]) -> str:
    return HEAD.format(source) + yaml.safe_dump_all(resources, sort_keys=False, width=110, allow_unicode=True)


def _of_cluster(name: str) -> dict[str, Any]:
    return {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}}


def _topic(name: str, partitions: int, replicas: int, config: dict[str, str]) -> dict[str, Any]:
    values = {key: int(text) if text.lstrip("-").isdecimal() else text for key, text in config.items()}
    spec = {"partitions": partitions, "replicas": replicas, "config": values}
    return {"apiVersion": STRIMZI, "kind": "KafkaTopic", "metadata": _of_cluster(name), "spec": spec}


def _user(name: User) -> dict[str, Any]:
    acls = [_acl(each) for each in rights_of(name, PRODUCTION)]
    spec = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {"type": "simple", "acls": acls},
    }
    metadata = _of_cluster(f"customer-stream-{name}")
    return {"apiVersion": STRIMZI, "kind": "KafkaUser", "metadata": metadata, "spec": spec}


def _acl(acl: Acl) -> dict[str, Any]:
    kind = "transactionalId" if acl.kind == "transactional_id" else acl.kind
    pattern = "prefix" if acl.prefixed else "literal"
    operations = [each.title().replace("_", "") for each in acl.operations]
    return {"resource": {"type": kind, "name": acl.name, "patternType": pattern}, "operations": operations}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
        sys.stdout.write(f"{path}\n")
