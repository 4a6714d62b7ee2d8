import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from stream.contracts.check import schema_findings
from stream.contracts.export import is_up_to_date, next_version, released_digests, version_files
from stream.contracts.profile_record import ProfileRecord
from stream.contracts.registry import Contract, contracts
from stream.core.events.event import Event
from stream.wire import decode_line, encode_event
from stream.worker.rows.row import StoredRow

ROOT = Path(__file__).parents[2] / "schemas"
EXAMPLES = sorted((ROOT / "examples").rglob("*.json"))
CONTRACTS = {contract.name: contract for contract in contracts()}


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def name_of(path: Path) -> str:
    return "/".join(path.parts[-3:])


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_the_file_is_what_the_struct_exports(contract: Contract):
    version = next_version(ROOT, contract)

    assert is_up_to_date(ROOT / contract.name / f"{version}.json", contract, version)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_schema_is_a_valid_schema_with_a_meaning(contract: Contract):
    for path in version_files(ROOT, contract.name).values():
        schema = json.loads(path.read_text())

        jsonschema_rs.meta.validate(schema)
        assert len(schema["description"]) > 10


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_schema_and_program_agree_on_an_example(path: Path):
    name, version, file = path.parts[-3:]
    schema = json.loads((ROOT / name / f"{version}.json").read_text())
    good = file.startswith("good-")

    assert validator(schema).is_valid(json.loads(path.read_text())) is good
    assert accepted(CONTRACTS[name], path.read_bytes()) is good


def accepted(contract: Contract, payload: bytes) -> bool:
    try:
        msgspec.json.decode(payload, type=contract.struct)
    except msgspec.ValidationError:
        return False
    return contract.direction == "out" or isinstance(decode_line(payload), Event)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_version_has_good_and_bad_examples(contract: Contract):
    for version in version_files(ROOT, contract.name):
        names = {
            path.name.partition("-")[0]
            for path in (ROOT / "examples" / contract.name / f"{version}").iterdir()
        }

        assert names == {"good", "bad"}


def test_the_published_contract_has_no_findings():
    assert schema_findings(ROOT) == []


GOLDEN = [line for path in sorted((Path(__file__).parent / "golden").glob("*.jsonl"))
          for line in path.read_bytes().splitlines()]  # fmt: skip


@pytest.mark.parametrize("line", GOLDEN, ids=range(len(GOLDEN)))
def test_payloads_of_earlier_releases_decode_to_what_they_meant(line: bytes):
    """Lines are only ever added: `sent` is what was on the topic, `means` the event it must still be."""
    golden = json.loads(line)

    event = decode_line(golden["sent"].encode())

    assert isinstance(event, Event)
    assert json.loads(encode_event(event)) == golden["means"]


def test_the_golden_corpus_has_every_released_input_type():
    seen = {json.loads(line)["means"]["type"] for line in GOLDEN}
    released = {name.partition("/")[0] for name in released_digests(ROOT)}
    inputs = {contract.name for contract in contracts() if contract.direction == "in"}

    assert (released & inputs) - seen == set()


@pytest.mark.parametrize("written", sorted(path.stem for path in (ROOT / "profile").glob("*.json")))
@pytest.mark.parametrize("read", sorted(path.stem for path in (ROOT / "profile").glob("*.json")))
def test_a_row_of_the_worker_is_a_valid_profile_record_of_every_version(written, read):
    example = ROOT / "examples/profile" / written / "good-full.json"
    profile = msgspec.json.decode(example.read_bytes(), type=StoredRow).profile
    row = msgspec.json.encode(
        StoredRow({"customers.purchases.v1": 7}, [msgspec.Raw(b"{}")], 3, profile=profile)
    )

    assert validator(json.loads((ROOT / "profile" / f"{read}.json").read_text())).is_valid(json.loads(row))
    assert msgspec.json.decode(row, type=ProfileRecord) == ProfileRecord(profile)
