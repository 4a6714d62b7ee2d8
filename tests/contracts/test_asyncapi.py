import functools
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from stream.contracts.asyncapi import asyncapi_document
from stream.contracts.registry import contracts

ROOT = Path(__file__).parents[2] / "schemas"
SPECS = "@asyncapi/specs@6.11.1"


@functools.cache
def parsed() -> dict[str, Any]:
    whole: dict[str, Any] = yaml.safe_load(asyncapi_document(ROOT))
    return whole


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return (
            [part["$ref"]]
            if "$ref" in part
            else [ref for value in part.values() for ref in references(value)]
        )
    return []


def test_every_message_of_the_contract_is_in_the_document():
    messages = parsed()["components"]["messages"]

    assert [message["name"] for message in messages.values()] == [contract.name for contract in contracts()]


def test_every_reference_leads_somewhere():
    for reference in references(parsed()):
        file, _, inside = reference.partition("#")
        target = json.loads((ROOT / file).read_text()) if file else parsed()
        for step in filter(None, inside.split("/")):
            target = target[step]

        assert target


@pytest.mark.data
def test_the_document_is_valid_asyncapi(tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, for the AsyncAPI 3.1.0 schema of " + SPECS)
    packed = subprocess.run(
        [npm, "pack", "--silent", SPECS], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    if packed.returncode != 0:
        pytest.skip(f"npm could not bring {SPECS}: {packed.stderr[-200:]}")
    with tarfile.open(tmp_path / packed.stdout.strip()) as archive:
        member = archive.extractfile("package/schemas/3.1.0-without-$id.json")
        assert member is not None
        schema = json.loads(member.read())
    validator = jsonschema_rs.validator_for(schema)

    assert [error.message for error in validator.iter_errors(parsed())] == []
    assert not validator.is_valid(parsed() | {"operations": {"x": {"action": "shout"}}})
