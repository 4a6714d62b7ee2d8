"""Checks that a reader with one schema accepts everything that a writer with another schema may send.

The check is sound but not complete: it may report an incompatibility that never occurs, but misses none. A
writer is assumed to send only fields that its schema names. A keyword that this module does not know counts
as an incompatibility.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
"""A JSON Schema as parsed JSON."""

_SILENT = {"$schema", "$id", "$defs", "title", "description", "default", "examples", "$comment"}
_JUDGED = {
    "$ref", "anyOf", "enum", "const", "type", "properties", "required", "additionalProperties",
    "propertyNames", "items", "prefixItems", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format", "minProperties",
    "maxProperties", "contentEncoding",
}  # fmt: skip
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SAME = ("pattern", "format", "multipleOf", "contentEncoding")
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def incompatibilities(writer: Schema, reader: Schema) -> list[str]:
    """Why the reader's schema may reject a document of the writer's; empty when it accepts every one."""
    return list(_Pair(writer, reader).incompatibilities(writer, reader, "", frozenset()))


class _Pair:
    """The schemas of writer and reader, each with its own `$defs`."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self.writer = writer
        self.reader = reader

    def incompatibilities(
        self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]
    ) -> Iterator[str]:
        pair = (writer.get("$ref") or id(writer), reader.get("$ref") or id(reader))
        if pair in open_:
            return  # a recursive type, which is being compared already
        open_ |= {pair}
        writer, reader = _resolved(writer, self.writer), _resolved(reader, self.reader)
        unknown = (set(writer) | set(reader)) - _SILENT - _JUDGED
        alone = {"anyOf"} if "anyOf" in reader else set()
        unknown |= (set(reader) & _JUDGED) - alone if alone or "type" not in reader else set()
        unknown -= {"enum", "const"} - alone
        if unknown:
            yield f"{_where(at)} uses {', '.join(sorted(unknown))}, which cannot be judged"
        elif "anyOf" in writer:
            for branch in writer["anyOf"]:
                yield from self.incompatibilities(branch, reader, at, open_)
        elif "anyOf" in reader:
            tries = [list(self.incompatibilities(writer, branch, at, open_)) for branch in reader["anyOf"]]
            yield from min(tries, key=len)
        else:
            yield from self._values(writer, reader, at, open_)

    def _values(self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]) -> Iterator[str]:
        sent, read = _values_of(writer), _values_of(reader)
        if sent is not None:
            yield from (
                f"{_where(at)} may be {value!r}" for value in sent if not _accepts(reader, read, value)
            )
            return
        if read is not None:
            yield f"{_where(at)} may be any {writer.get('type', 'value')}, not only {_listed(read)}"
            return
        if "type" not in reader:
            return
        kind = writer.get("type")
        if kind != reader["type"] and (kind, reader["type"]) != ("integer", "number"):
            yield f"{_where(at)} may be {_kind(kind)} where {_kind(reader['type'])} is expected"
            return
        yield from _limits(writer, reader, at)
        if kind == "object":
            yield from self._fields(writer, reader, at, open_)
        elif kind == "array":
            yield from self._items(writer, reader, at, open_)

    def _fields(self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]) -> Iterator[str]:
        sent, known = writer.get("properties", {}), reader.get("properties", {})
        rest = reader.get("additionalProperties", True)
        for name in reader.get("required", ()):
            if name not in sent and writer.get("additionalProperties") is None:
                yield f"{_where(at, name)} is never there"
            elif name not in writer.get("required", ()):
                yield f"{_where(at, name)} may be missing"
        for name, schema in sent.items():
            if name in known:
                yield from self.incompatibilities(schema, known[name], _join(at, name), open_)
            elif rest is False:
                yield f"{_where(at, name)} is a field that is not allowed"
            elif isinstance(rest, dict):
                yield from self.incompatibilities(schema, rest, _join(at, name), open_)
        free = writer.get("additionalProperties")
        if isinstance(free, dict) and isinstance(rest, dict):
            yield from self.incompatibilities(free, rest, _join(at, "*"), open_)
        elif isinstance(free, dict) and rest is False:
            yield f"{_where(at)} may have any field"
        if "propertyNames" in reader:
            names = {"type": "string", **writer.get("propertyNames", {})}
            read_names = {"type": "string", **reader["propertyNames"]}
            yield from self.incompatibilities(names, read_names, _join(at, "(a field's name)"), open_)

    def _items(self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]) -> Iterator[str]:
        """A writer sends only parts that it names; how many there must be, `minItems` says."""
        sent, known = writer.get("prefixItems", []), reader.get("prefixItems", [])
        sent_rest, read_rest = writer.get("items", {}), reader.get("items", {})
        if len(sent) > len(known) and read_rest is False:
            yield f"{_where(at)} may have {len(sent)} parts where {len(known)} are expected"
            return
        for index in range(max(len(sent), len(known))):
            one = sent[index] if index < len(sent) else writer.get("items")
            other = known[index] if index < len(known) else read_rest
            if isinstance(one, dict) and other != {}:
                yield from self.incompatibilities(one, other, f"{at}[{index}]", open_)
        if sent and "items" not in writer:
            return
        if isinstance(sent_rest, dict) and isinstance(read_rest, dict):
            yield from self.incompatibilities(sent_rest, read_rest, at + "[]", open_)
        elif read_rest is False and sent_rest is not False:
            yield f"{_where(at)} may have more parts"


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _values_of(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _accepts(reader: Schema, values: list[Any] | None, value: Any) -> bool:
    if values is not None:
        return value in values
    if "type" not in reader:
        return True
    exact: Schema = {"type": _KINDS.get(type(value))}
    if isinstance(value, str):
        exact |= {"minLength": len(value), "maxLength": len(value)}
        if "pattern" in reader and re.search(reader["pattern"], value):
            exact["pattern"] = reader["pattern"]
    elif value is not None and not isinstance(value, bool):
        exact |= {"minimum": value, "maximum": value}
    same_kind = exact["type"] == reader["type"] or (exact["type"], reader["type"]) == ("integer", "number")
    return same_kind and not list(_limits(exact, reader, ""))


def _limits(writer: Schema, reader: Schema, at: str) -> Iterator[str]:
    for bound in _LEAST:
        if bound in reader and writer.get(bound, float("-inf")) < reader[bound]:
            yield f"{_where(at)} may be below the {_words(bound)} of {reader[bound]}"
    for bound in _MOST:
        if bound in reader and writer.get(bound, float("inf")) > reader[bound]:
            yield f"{_where(at)} may be above the {_words(bound)} of {reader[bound]}"
    for rule in _SAME:
        if rule in reader and writer.get(rule) != reader[rule]:
            yield f"{_where(at)} may not have the {rule} {reader[rule]}"


def _words(bound: str) -> str:
    return "".join(" " + c.lower() if c.isupper() else c for c in bound)


def _kind(kind: object) -> str:
    return f"of type {kind}" if kind else "of any type"


def _listed(values: list[Any]) -> str:
    return ", ".join(repr(value) for value in values)


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _where(at: str, name: str = "") -> str:
    return f"`{_join(at, name) if name else at or '(the whole message)'}`"
