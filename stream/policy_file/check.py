"""All faults of a policy file at once, each with its key, what is wrong and what is allowed.

The structs of core/policy/policy.py alone define what may be written. A key is the name of a field, without
the `_ms` of a duration; a key that is missing in the file keeps its default.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

from stream.core.currency import RATE_PATTERN
from stream.core.policy.policy import DAY_PATTERN, SALT_PATTERN, ZONE_PATTERN, Policy
from stream.policy_file.duration import ALLOWED, duration_ms, duration_text
from stream.policy_file.toml_lines import KeyPath

KeyFault = tuple[KeyPath, str]
"""Where in the file, and what is wrong there."""

NOT_IN_FILES = {"hash", "calendar"}
"""Fields of the policy that are computed, not written."""
PATTERN_WORDS = {
    ZONE_PATTERN: "a name of the IANA database, such as Europe/Berlin",
    DAY_PATTERN: "a day such as 2026-12-01, or nothing",
    SALT_PATTERN: "letters, digits, and the marks _ . -",
    "^[a-z][a-z0-9_]*$": "lower-case letters, digits and _, beginning with a letter",
    "^[A-Z][A-Z0-9_]*$": "capital letters, digits and _, beginning with a letter",
    r"^[^\sA-Z]+$": "one lower-case word",
    r"^\S+( \S+)*$": "a word, a word's beginning with *, or a phrase",
    "^[A-Z]{3}$": "a code of ISO 4217, such as EUR",
    "^([A-Z]{3})?$": "a code of ISO 4217, such as EUR, or nothing",
    RATE_PATTERN: 'a decimal number in quotation marks, such as "0.92"',
}
"""Every pattern of a text in the structs, in words for the error message."""
SHOWN_MAX = 60
"""Characters of a wrong value that an error message shows."""
POLICY = inspect.type_info(Policy)


def file_key(field: inspect.Field) -> str:
    """The key of a field in the file: `cool_down_ms` is written `cool_down`."""
    return field.encode_name.removesuffix("_ms")


def checked(
    written: dict[str, Any], defaults: dict[str, Any], kind: inspect.Type = POLICY
) -> tuple[dict[str, Any], list[KeyFault]]:
    """The content of the file merged over the defaults, ready for msgspec.convert; and every fault in it.

    `kind`: the struct of the whole file; that of a policy, unless another file is checked.
    """
    check = _Checker()
    content = check.value(written, kind, defaults, ())
    return content, check.faults


class _Checker:
    """Walks through the content of a file along the types of the structs, and collects faults."""

    def __init__(self) -> None:
        self.faults: list[KeyFault] = []

    def fault(self, path: KeyPath, problem: str) -> None:
        self.faults.append((path, problem))

    def value(self, value: Any, kind: inspect.Type, default: Any, path: KeyPath) -> Any:
        """The value in the form that the struct takes; after a fault the result is not used."""
        match kind:
            case inspect.Metadata():
                return self.value(value, kind.type, default, path)
            case inspect.StructType() if isinstance(value, dict):
                return self.struct(value, kind, default or {}, path)
            case inspect.DictType() if isinstance(value, dict):
                return self.table(value, kind, default or {}, path)
            case inspect.VarTupleType() if isinstance(value, list):
                return self.array(value, kind, path)
            case inspect.UnionType():
                inner = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
                return None if value == "" else self.value(value, inner, default, path)
        problem = problem_of(value, kind)
        if problem:
            self.fault(path, problem)
        return value

    def struct(self, table: dict[str, Any], kind: inspect.StructType, default: Any, path: KeyPath) -> Any:
        fields = {file_key(field): field for field in kind.fields if field.name not in NOT_IN_FILES}
        content = dict(default)
        for key, value in table.items():
            if key not in fields:
                self.fault((*path, key), unknown("key", key, list(fields)))
                continue
            field = fields[key]
            if field.encode_name != key:
                content[field.encode_name] = self.duration(value, field.type, (*path, key))
            else:
                content[key] = self.value(value, field.type, default.get(key), (*path, key))
        for key, field in fields.items():
            if field.required and field.encode_name not in content:
                self.fault(path, f"{key} is missing: {allowed_words(field.type)}")
        return content

    def table(self, table: dict[str, Any], kind: inspect.DictType, default: Any, path: KeyPath) -> Any:
        content = dict(default)
        low, high = kind.min_length or 0, kind.max_length
        if len(table) < low or (high is not None and len(table) > high):
            self.fault(path, f"has {len(table)} entries; allowed: {low} to {high}")
        for key, value in table.items():
            wrong = problem_of(key, kind.key_type)
            if wrong:
                self.fault((*path, key), f"the key {wrong}")
            content[key] = self.value(value, kind.value_type, default.get(key), (*path, key))
        return content

    def array(self, items: list[Any], kind: inspect.VarTupleType, path: KeyPath) -> Any:
        low, high = kind.min_length or 0, kind.max_length
        if len(items) < low or (high is not None and len(items) > high):
            self.fault(path, f"has {len(items)} entries; allowed: {low} to {high}")
        return [self.value(item, kind.item_type, None, (*path, index)) for index, item in enumerate(items)]

    def duration(self, value: Any, kind: inspect.Type, path: KeyPath) -> int:
        assert isinstance(kind, inspect.IntType)
        span_ms = duration_ms(value) if isinstance(value, str) else None
        if span_ms is None:
            self.fault(path, f"{shown(value)} is not allowed; allowed: {ALLOWED}")
            return 0
        if kind.ge is not None and span_ms < kind.ge:
            self.fault(path, f"{shown(value)} is too short; allowed: at least {duration_text(kind.ge)}")
        if kind.le is not None and span_ms > kind.le:
            self.fault(path, f"{shown(value)} is too long; allowed: at most {duration_text(kind.le)}")
        return span_ms


def unknown(what: str, key: str, known: list[str]) -> str:
    """`unknown key; did you mean raise_at?`, or the list of the known ones."""
    near = get_close_matches(key.removesuffix("_ms"), known, n=1, cutoff=0.6)
    return f"unknown {what}; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}")


def problem_of(value: Any, kind: inspect.Type) -> str | None:
    """What is wrong with a plain value; None when it is allowed."""
    fits = False
    match kind:
        case inspect.BoolType():
            fits = isinstance(value, bool)
        case inspect.IntType():
            fits = isinstance(value, int) and not isinstance(value, bool) and _within(value, kind)
        case inspect.FloatType():
            fits = isinstance(value, int | float) and not isinstance(value, bool) and _within(value, kind)
        case inspect.StrType():
            fits = isinstance(value, str) and _spelt(value, kind)
        case inspect.LiteralType():
            fits = value in kind.values
    return None if fits else f"{shown(value)} is not allowed; allowed: {allowed_words(kind)}"


def _within(value: float, kind: inspect.IntType | inspect.FloatType) -> bool:
    return (
        abs(value) < float("inf")
        and (kind.ge is None or value >= kind.ge)
        and (kind.gt is None or value > kind.gt)
        and (kind.le is None or value <= kind.le)
        and (kind.lt is None or value < kind.lt)
    )


def _spelt(value: str, kind: inspect.StrType) -> bool:
    return (
        (kind.min_length or 0) <= len(value) <= (kind.max_length or len(value))
        and (kind.pattern is None or re.search(kind.pattern, value) is not None)
        and value.isprintable()
    )


def allowed_words(kind: inspect.Type) -> str:
    """The values that a type allows, in words."""
    words = "a table"
    match kind:
        case inspect.BoolType():
            words = "true or false"
        case inspect.IntType():
            words = "a whole number" + _bounds(kind)
        case inspect.FloatType():
            words = "a number" + _bounds(kind)
        case inspect.StrType():
            spelling = PATTERN_WORDS.get(kind.pattern or "", "any text")
            words = f"a text of {kind.min_length or 1} to {kind.max_length} characters ({spelling})"
        case inspect.VarTupleType():
            words = "a list"
        case inspect.LiteralType():
            words = " or ".join(f'"{each}"' for each in kind.values)
        case inspect.UnionType():
            inner = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
            words = allowed_words(inner) + ', or "" for none'
    return words


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    low = f"{kind.ge}" if kind.ge is not None else f"above {kind.gt}" if kind.gt is not None else None
    high = f"{kind.le}" if kind.le is not None else f"below {kind.lt}" if kind.lt is not None else None
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if low is not None:
        return f", {low if kind.gt is not None else f'at least {low}'}"
    return f", at most {high}" if high is not None else ""


def shown(value: Any) -> str:
    """A value of the file as an error message shows it."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."
