import json
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.contracts import check, export, registry
from stream.contracts.registry import Contract, contracts
from stream.core.events.event import PurchaseCancelled
from stream.core.events.payload import Id, Label

ROOT = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of schemas/ with nothing released, exported anew."""
    root = tmp_path / "schemas"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("released.txt"))
    export.export_schemas(root)
    return root


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["schemas", *words])
    return result.exit_code, result.output


def with_struct(monkeypatch: pytest.MonkeyPatch, struct: type[msgspec.Struct]) -> None:
    """The program with another struct behind purchase.cancelled."""
    changed = tuple(
        Contract(c.name, c.topic, c.direction, struct if c.name == "purchase.cancelled" else c.struct)
        for c in registry.contracts()
    )
    for module in ("contracts.check", "contracts.export", "contracts.asyncapi", "commands.schemas"):
        monkeypatch.setattr(f"stream.{module}.contracts", lambda: changed)


class Cancellation(msgspec.Struct):
    """An order was cancelled, and its number is a number now."""

    order_id: int
    reason: str | None = None


class Renumbered(PurchaseCancelled, frozen=True, kw_only=True, tag="purchase.cancelled"):
    data: Cancellation  # type: ignore[assignment]


def test_the_committed_schemas_pass():
    assert run("check", "--dir", str(ROOT)) == (0, f"{len(contracts())} types, 0 findings\n")


def test_export_changes_nothing_the_second_time(root):
    assert run("export", "--dir", str(root)) == (0, f"{len(contracts())} types, 0 files changed\n")


def test_export_restores_what_was_lost(root):
    (root / "purchase.cancelled" / "1.json").unlink()
    (root / "asyncapi.yaml").write_text("")

    code, output = run("export", "--dir", str(root), "--json")

    assert (code, len(json.loads(output)["written"])) == (0, 2)
    assert check.schema_findings(root) == []


def test_an_incompatibility_is_reported_as_what_consumers_would_see(root, monkeypatch):
    run("release", "--dir", str(root))
    with_struct(monkeypatch, Renumbered)

    code, output = run("check", "--dir", str(root))

    assert code == 1
    assert (
        "purchase.cancelled: programs that read version 1 would reject events of version 2: "
        "`data.order_id` may be of type integer where of type string is expected"
    ) in output
    assert (
        "purchase.cancelled: version 2 would reject events of version 1, which are still on the topic"
        in output
    )


def test_an_incompatibility_of_an_unreleased_version_is_reported_too(root, monkeypatch):
    with_struct(monkeypatch, Renumbered)

    code, output = run("check", "--dir", str(root))

    assert code == 1
    assert (
        "purchase.cancelled/1.json: differs from the program's struct; run `stream schemas export`" in output
    )
    assert (
        "purchase.cancelled: programs that read version 1 as committed would reject events of the program: "
        "`data.order_id` may be of type integer where of type string is expected"
    ) in output


@pytest.mark.parametrize("name", ["purchase.cancelled", "alert"])
def test_a_changed_docstring_makes_no_new_version(root, name):
    path = root / name / "1.json"
    path.write_text(export.schema_text(json.loads(path.read_text()) | {"description": "In other words."}))
    line = f"{name}/1 {export.file_digest(path)}\n"
    (root / "released.txt").write_text(line)

    assert check.schema_findings(root) == []
    assert run("export", "--dir", str(root)) == (0, f"{len(contracts())} types, 0 files changed\n")


def test_export_never_rewrites_a_released_version(root, monkeypatch):
    before = (root / "purchase.cancelled" / "1.json").read_text()
    run("release", "--dir", str(root))
    with_struct(monkeypatch, Renumbered)

    run("export", "--dir", str(root))

    assert (root / "purchase.cancelled" / "1.json").read_text() == before
    assert json.loads((root / "purchase.cancelled" / "2.json").read_text())["$id"].endswith(":2")


def test_some_types_are_released_by_name(root):
    assert run("release", "--dir", str(root), "alert", "purchase.refunded", "--json") == (
        *(0, '{"released": ["alert/1", "alert/2", "purchase.refunded/1"]}\n'),
    )
    assert set(export.released_digests(root)) == {"alert/1", "alert/2", "purchase.refunded/1"}
    code, output = run("release", "--dir", str(root), "purchase")
    assert code == 2
    assert "purchase: no such type; types are purchase.completed" in output


class Kept(msgspec.Struct, frozen=True):
    """An order was cancelled; the field `by` is new."""

    order_id: Id
    reason: Label | None = None
    by: Label | None = None


class CancelledBy(PurchaseCancelled, frozen=True, kw_only=True, tag="purchase.cancelled"):
    data: Kept  # type: ignore[assignment]


class Narrow(msgspec.Struct, frozen=True):
    """A later program takes `by` as a number."""

    order_id: Id
    reason: Label | None = None
    by: int | None = None


class Narrowed(PurchaseCancelled, frozen=True, kw_only=True, tag="purchase.cancelled"):
    data: Narrow  # type: ignore[assignment]


def test_every_two_versions_are_compared(root, monkeypatch):
    """Version 1 does not know `by`, so it is compatible with 3; versions 2 and 3 are not compatible."""
    run("release", "--dir", str(root))
    with_struct(monkeypatch, CancelledBy)
    run("export", "--dir", str(root))
    assert run("release", "--dir", str(root)) == (0, "released purchase.cancelled/2\n1 released\n")
    with_struct(monkeypatch, Narrowed)
    run("export", "--dir", str(root))

    found = [line for line in check.schema_findings(root) if "`data.by`" in line]

    assert any("programs that read version 2 would reject events of version 3" in line for line in found)
    assert any("version 3 would reject events of version 2" in line for line in found)
    assert not any("version 1" in line for line in found)


def test_a_changed_released_file_is_reported(root):
    run("release", "--dir", str(root))
    path = root / "purchase.cancelled" / "1.json"
    path.write_text(path.read_text().replace("256", "255"))
    (root / "purchase.refunded" / "1.json").unlink()

    code, output = run("check", "--dir", str(root))

    assert code == 1
    assert f"{path}: was released and has changed since" in output
    assert "purchase.refunded/1.json: was released and is missing" in output


def test_a_folder_without_a_type_is_reported(root):
    (root / "purchase.gifted").mkdir()
    (root / "examples" / "purchase.lent").mkdir()

    found = check.schema_findings(root)

    assert [line.partition(":")[0].rpartition("/")[2] for line in found] == [
        "purchase.gifted",
        "purchase.lent",
    ]


def test_a_missing_folder_is_a_usage_error():
    code, output = run("check", "--dir", "nowhere")

    assert code == 2
    assert "stream schemas export --dir nowhere" in output
