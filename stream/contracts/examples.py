"""Writes examples of a message type to schemas/examples/<type>/<version>/ when it has none.

Those of a new type are made from the struct: `good-full` has every field, `good-minimal` the required ones,
and each `bad-no-...` lacks a required field. A test holds every example against schema and struct, so an
example that is wrong (for a pattern that is unknown here, say) fails by name and is then written by hand.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from msgspec import inspect

from stream.contracts.registry import Contract

ENVELOPE = {"specversion": "1.0", "id": "01J8ZK00", "source": "/shop/eu"}
SUBJECT_AND_TIME = {"subject": "cust-42", "time": "2026-03-01T10:04:05Z"}
TEXT_OF_PATTERN = {"^[A-Z]{3}$": "USD"}


def write_missing_examples(root: Path, contract: Contract, version: int) -> list[Path]:
    """Write examples of this version if it has none. Returns the written files.

    A later version gets those of the version before; for the first one of an input event they are made.
    """
    folder = root / "examples" / contract.name / str(version)
    before = folder.with_name(str(version - 1))
    if folder.is_dir():
        return []
    if before.is_dir():
        shutil.copytree(before, folder)
        return sorted(folder.iterdir())
    written = []
    for name, example in _examples(contract) if contract.direction == "in" else ():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.json"
        path.write_text(json.dumps(example, indent=2, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def _examples(contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    data = get_type_hints(contract.struct)["data"]
    full, minimal = _sample(inspect.type_info(data), full=True), _sample(inspect.type_info(data), full=False)
    yield "good-full", _envelope(contract, full)
    yield "good-minimal", _envelope(contract, minimal)
    yield "bad-no-id", {name: each for name, each in _envelope(contract, minimal).items() if name != "id"}
    for field in minimal:
        left = {name: each for name, each in minimal.items() if name != field}
        yield f"bad-no-{field.replace('_', '-')}", _envelope(contract, left)


def _envelope(contract: Contract, data: dict[str, Any]) -> dict[str, Any]:
    return {**ENVELOPE, "type": contract.name, **SUBJECT_AND_TIME, "data": data}


def _sample(kind: inspect.Type, *, full: bool) -> Any:
    """A value that a type accepts; a struct's optional fields only when `full`."""
    sample: Any = {}
    match kind:
        case inspect.Metadata():
            sample = _sample(kind.type, full=full)
        case inspect.UnionType():
            sample = _sample(next(each for each in kind.types if not _is_empty(each)), full=full)
        case inspect.StructType():
            fields = [field for field in kind.fields if full or field.required]
            sample = {field.encode_name: _sample(field.type, full=full) for field in fields}
        case inspect.LiteralType():
            sample = kind.values[0]
        case inspect.VarTupleType():
            sample = [_sample(kind.item_type, full=full)]
        case inspect.DictType():
            sample = {"marketing": _sample(kind.value_type, full=full)}
        case inspect.StrType():
            sample = TEXT_OF_PATTERN.get(kind.pattern or "", "A-1")
        case inspect.DateTimeType():
            sample = SUBJECT_AND_TIME["time"]
        case inspect.BoolType():
            sample = True
        case inspect.IntType() | inspect.FloatType():
            sample = max(kind.ge or 0, 1)  # 1 is on every scale that a rating may name
    return sample


def _is_empty(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.NoneType) or getattr(kind, "cls", None) is msgspec.UnsetType
