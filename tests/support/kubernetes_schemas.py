"""The schemas of what deploy/k8s holds, and what is wrong with a resource by them.

`kubernetes/core-1.31.json` is an extract of the OpenAPI description of Kubernetes 1.31 (Apache-2.0), in its
strict form (unknown fields are faults), as the package kubernetes-validate 1.37.0 has it: only the kinds and
volumes that are used, without descriptions. Written by `python -m tests.support.kubernetes_schemas WHEEL`.

`kubernetes/custom.json` is our own: the fields that we use of the resources of KEDA 2, Strimzi (its API v1)
and the Prometheus operator (v1), written after their API references. A field that is missing there is a
fault, so that a new one is looked up first.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

FOLDER = Path(__file__).parent / "kubernetes"
CORE = FOLDER / "core-1.31.json"
IN_WHEEL = "kubernetes_validate/kubernetes-json-schema/v1.31.0-local-strict/_definitions.json"
KINDS = {
    "apps/v1/StatefulSet": "io.k8s.api.apps.v1.StatefulSet",
    "apps/v1/Deployment": "io.k8s.api.apps.v1.Deployment",
    "batch/v1/Job": "io.k8s.api.batch.v1.Job",
    "v1/Service": "io.k8s.api.core.v1.Service",
    "v1/ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "v1/Namespace": "io.k8s.api.core.v1.Namespace",
    "v1/ServiceAccount": "io.k8s.api.core.v1.ServiceAccount",
    "v1/PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
    "policy/v1/PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "networking.k8s.io/v1/NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
}
VOLUMES = {"name", "configMap", "secret", "emptyDir", "persistentVolumeClaim"}
QUANTITY = {"type": ["string", "number"], "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}
"""The description allows any text; the API does not (k8s.io/apimachinery, resource.Quantity)."""


def problems(resource: dict[str, Any]) -> list[str]:
    """What is wrong with a resource: where, and what; nothing when it is valid."""
    name = f"{resource.get('apiVersion')}/{resource.get('kind')}"
    if name not in _validators():
        return [f"{name}: no such kind is known"]
    found = _validators()[name].iter_errors(resource)
    return [f"{name} at {'/'.join(map(str, each.instance_path))}: {each.message}" for each in found]


@cache
def _validators() -> dict[str, jsonschema_rs.Draft202012Validator]:
    core = json.loads(CORE.read_text())
    core["io.k8s.apimachinery.pkg.api.resource.Quantity"] = QUANTITY
    custom = json.loads((FOLDER / "custom.json").read_text())
    schemas = {
        **{name: {"$ref": f"#/$defs/{kind}", "$defs": core} for name, kind in KINDS.items()},
        **{
            name: {"$ref": f"#/$defs/{name.replace('/', '~1')}", "$defs": custom}
            for name in custom
            if "/" in name
        },
    }
    return {name: jsonschema_rs.Draft202012Validator(schema) for name, schema in schemas.items()}


def extract(wheel: Path) -> str:
    """The text of `core-1.31.json`: one definition a line, sorted by name."""
    with zipfile.ZipFile(wheel) as file:
        every = json.loads(file.read(IN_WHEEL))["$defs"]
    volume = every["io.k8s.api.core.v1.Volume"]["properties"]
    every["io.k8s.api.core.v1.Volume"]["properties"] = {name: volume[name] for name in sorted(VOLUMES)}
    found: dict[str, Any] = {}
    wanted = list(KINDS.values())
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _without_words(every[name])
            wanted += _references(found[name])
    lines = [f"{json.dumps(name)}: {json.dumps(found[name], sort_keys=True)}" for name in sorted(found)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: part for name, part in schema.items() if not name.startswith("x-")}
    return {
        name: _without_words(part)
        for name, part in kept.items()
        if not (name == "description" and isinstance(part, str))
    }


def _references(schema: Any) -> Iterator[str]:
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2]
    for part in parts:
        yield from _references(part)


if __name__ == "__main__":
    CORE.write_text(extract(Path(sys.argv[1])))
