"""Whether everything one schema lets a writer send is accepted by a reader of another: sound, not complete.

The writer is taken as closed (it sends only fields its schema names), the reader as its schema says. A
keyword this module does not know is a break: better a question too many than a consumer that stops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

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
    """Each way in which a document of the writer's schema can fail the reader's; empty: all are accepted."""
    return list(_Pair(writer, reader).breaks(writer, reader, "", frozenset()))


class _Pair:
    """Two documents of schemas, each with its own `$defs`."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self.writer = writer
        self.reader = reader

    def breaks(self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]) -> Iterator[str]:
        pair = (writer.get("$ref") or id(writer), reader.get("$ref") or id(reader))
        if pair in open_:
            return  # recursive types: what holds on the way in holds further down
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
                yield from self.breaks(branch, reader, at, open_)
        elif "anyOf" in reader:
            tries = [list(self.breaks(writer, branch, at, open_)) for branch in reader["anyOf"]]
            yield from min(tries, key=len)
        else:
            yield from self._values(writer, reader, at, open_)

    def _values(self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]) -> Iterator[str]:
        said, read = _values_of(writer), _values_of(reader)
        if said is not None:
            yield from (
                f"{_where(at)} may be {value!r}" for value in said if not _accepts(reader, read, value)
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
                yield from self.breaks(schema, known[name], _join(at, name), open_)
            elif rest is False:
                yield f"{_where(at, name)} is a field that is not allowed"
            elif isinstance(rest, dict):
                yield from self.breaks(schema, rest, _join(at, name), open_)
        free = writer.get("additionalProperties")
        if isinstance(free, dict) and isinstance(rest, dict):
            yield from self.breaks(free, rest, _join(at, "*"), open_)
        elif isinstance(free, dict) and rest is False:
            yield f"{_where(at)} may have any field"
        if "propertyNames" in reader:
            names = {"type": "string", **writer.get("propertyNames", {})}
            read_names = {"type": "string", **reader["propertyNames"]}
            yield from self.breaks(names, read_names, _join(at, "(a field's name)"), open_)

    def _items(self, writer: Schema, reader: Schema, at: str, open_: frozenset[Any]) -> Iterator[str]:
        sent, known = writer.get("prefixItems", []), reader.get("prefixItems", [])
        if len(sent) != len(known):
            yield f"{_where(at)} may have {len(sent)} parts where {len(known)} are expected"
            return
        for index, (one, other) in enumerate(zip(sent, known, strict=True)):
            yield from self.breaks(one, other, f"{at}[{index}]", open_)
        said, read = writer.get("items", {}), reader.get("items", {})
        if isinstance(said, dict) and isinstance(read, dict):
            yield from self.breaks(said, read, at + "[]", open_)
        elif read is False and said is not False:
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
