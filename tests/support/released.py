"""The program's version 0.1.0: its code, from the history of this repository, and what its profiles know."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from stream.core.facts.profile import Profile, facts
from tests.support.running_worker import WorkerKafka, WorkerProcess

ROOT = Path(__file__).parents[2]
COMMIT_0_1_0 = "81f4d30f06fca3df98f510b12ab11574a02a0777"
"""The last commit whose rows are of version 1."""


def code_of_0_1_0(folder: Path) -> Path | None:
    """The package of version 0.1.0, unpacked into a folder; None: this clone's history is too short."""
    archive = ["git", "-C", str(ROOT), "archive", "--format=tar", COMMIT_0_1_0, "stream"]
    done = subprocess.run(archive, capture_output=True, check=False)
    if done.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


class WorkerOf(WorkerProcess):
    """A worker process of another version, whose package `stream` is in the folder `code`."""

    command = (sys.executable, "-m", "stream", "worker")

    def __init__(self, code: Path, kafka: WorkerKafka, log: Path) -> None:
        self.added = {"PYTHONPATH": str(code)}
        super().__init__(kafka, log)


@lru_cache(maxsize=1)
def _profile_schema() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode((ROOT / "schemas/profile/1.json").read_bytes())
    return found


def known_to_version_1(profile: Profile) -> dict[str, Any]:
    """The facts of a profile, without those that the released schema `profile/1` does not name.

    Refunds are by their id alone, as version 1 has them.
    """
    fields = _profile_schema()["$defs"]["Profile"]["properties"]
    found = msgspec.to_builtins(facts(profile), str_keys=True)
    refunds = found["buying"].get("refunds", {})
    found["buying"]["refunds"] = {key.partition("\n")[0]: back for key, back in refunds.items()}
    return {name: _known(value, fields[name]) for name, value in found.items() if name in fields}


def _known(value: Any, schema: dict[str, Any]) -> Any:
    """What a schema names of a value."""
    while "$ref" in schema:
        schema = _profile_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema and value is not None:
        return _known(value, next(part for part in schema["anyOf"] if part.get("type") != "null"))
    if isinstance(value, dict) and "properties" in schema:
        fields = schema["properties"]
        return {name: _known(part, fields[name]) for name, part in value.items() if name in fields}
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        return {name: _known(part, schema["additionalProperties"]) for name, part in value.items()}
    if isinstance(value, list) and "prefixItems" in schema:
        return [_known(part, known) for part, known in zip(value, schema["prefixItems"], strict=False)]
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_known(part, schema["items"]) for part in value]
    return value
