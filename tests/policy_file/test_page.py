"""The committed default file and page are those made from the structs, and the commands print them."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from msgspec import inspect as types

from stream.commands.main import main
from stream.core.policy.policy import Policy
from stream.policy_file import default_text
from stream.policy_file.page import default_toml, knobs, meaning, policy_markdown

ROOT = Path(__file__).parents[2]


def test_the_shipped_file_is_that_of_the_structs():
    assert default_text() == default_toml(), "stream policy default > stream/data/policy.default.toml"


def test_the_page_is_that_of_the_structs():
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")

    assert page == policy_markdown(), "stream policy default --markdown > docs/policy.md"


def test_the_printed_default_is_a_good_policy(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(CliRunner().invoke(main, ["policy", "default"]).output, encoding="utf-8")
    answer = CliRunner().invoke(main, ["policy", "check", str(file)])

    assert answer.exit_code == 0
    assert "good. Policy default, version 1, sha256:" in answer.output


def test_a_bad_policy_is_reported_with_exit_code_1(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text("\nversion = 0\n", encoding="utf-8")
    as_text = CliRunner().invoke(main, ["policy", "check", str(file)])
    as_json = CliRunner().invoke(main, ["policy", "check", "--json", str(file)])

    assert (as_text.exit_code, as_json.exit_code) == (1, 1)
    assert as_text.output.startswith(f"{file}:2: version: 0 is not allowed")
    assert json.loads(as_json.output)["findings"][0]["line"] == 2


def test_a_file_that_is_not_there_is_bad_usage():
    assert CliRunner().invoke(main, ["policy", "check", "nowhere.toml"]).exit_code == 2


def test_every_key_is_explained():
    root = types.type_info(Policy)
    silent = [
        f"{kind.cls.__name__}.{field.name}"
        for kind in structs(root)
        for field in knobs(kind)
        if not explained(kind, field)
    ]

    assert silent == []


def explained(kind: types.StructType, field: types.Field) -> str:
    inner = field.type.item_type if isinstance(field.type, types.VarTupleType) else field.type
    return meaning(kind, field.name) or (meaning(inner) if isinstance(inner, types.StructType) else "")


def structs(kind: types.Type) -> list[types.StructType]:
    """A struct and all in it."""
    match kind:
        case types.StructType():
            return [kind, *(each for field in knobs(kind) for each in structs(field.type))]
        case types.VarTupleType():
            return structs(kind.item_type)
        case types.DictType():
            return structs(kind.value_type)
    return []
