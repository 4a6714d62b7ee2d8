import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream.contracts.compatibility import incompatibilities

ROOT = Path(__file__).parents[2] / "schemas"
PURCHASE = json.loads((ROOT / "purchase.completed" / "1.json").read_text())


def changed(**data_fields: Any) -> dict[str, Any]:
    """The purchase schema with fields of its data replaced; None takes a field out."""
    schema: dict[str, Any] = copy.deepcopy(PURCHASE)
    part = schema["$defs"]["Purchase"]
    for name, field in data_fields.items():
        part["properties"].pop(name, None)
        if field is None:
            part["required"] = [required for required in part["required"] if required != name]
        else:
            part["properties"][name] = field
    return schema


def requiring(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    schema["$defs"]["Purchase"]["required"].append(name)
    return schema


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("new", "old_rejects_new", "new_rejects_old"),
    [
        (changed(), [], []),
        (changed(voucher=TEXT), [], []),
        (requiring("voucher", changed(voucher=TEXT)), [], ["`data.voucher` is never there"]),
        (requiring("coupon", changed()), [], ["`data.coupon` may be missing"]),
        (changed(order_id=None), ["`data.order_id` is never there"], []),
        (
            changed(total_minor={"type": "number", "minimum": 0, "maximum": 9007199254740991}),
            ["`data.total_minor` may be of type number where of type integer is expected"],
            [],
        ),
        (
            changed(total_minor={"type": "integer", "minimum": 0, "maximum": 100}),
            [],
            ["`data.total_minor` may be above the maximum of 100"],
        ),
        (
            changed(currency={"enum": ["EUR", "USD"]}),
            [],
            ["`data.currency` may be any string, not only 'EUR', 'USD'"],
        ),
        (
            changed(is_gift={"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
            ["`data.is_gift` may be of type null where of type boolean is expected"],
            [],
        ),
        (
            changed(coupon={"$dynamicRef": "#x"}),
            ["`data.coupon` uses $dynamicRef, which cannot be judged"],
            ["`data.coupon` uses $dynamicRef, which cannot be judged"],
        ),
    ],
)
def test_what_a_change_means_for_each_side(new, old_rejects_new, new_rejects_old):
    assert incompatibilities(new, PURCHASE) == old_rejects_new
    assert incompatibilities(PURCHASE, new) == new_rejects_old


def test_a_further_part_of_a_list_is_read_by_those_who_do_not_know_it_as_long_as_it_may_be_missing():
    two = {"type": "array", "prefixItems": [TEXT, TEXT], "minItems": 2}
    three = {"type": "array", "prefixItems": [TEXT, TEXT, TEXT], "minItems": 2}
    numbers = {"type": "array", "prefixItems": [TEXT, TEXT], "items": {"type": "integer"}, "minItems": 2}

    assert incompatibilities(three, two) == incompatibilities(two, three) == []
    assert incompatibilities(two, {**three, "minItems": 3}) == [
        "`(the whole message)` may be below the min items of 3"
    ]
    assert incompatibilities(three, {**two, "items": False}) == [
        "`(the whole message)` may have 3 parts where 2 are expected"
    ]
    assert incompatibilities(three, numbers) == [
        "`[2]` may be of type string where of type integer is expected"
    ]
    assert incompatibilities(numbers, three) == [
        "`[2]` may be of type integer where of type string is expected"
    ]


def test_a_renamed_field_breaks_the_readers_of_both():
    new = requiring("total_cents", changed(total_minor=None, total_cents={"type": "integer"}))

    assert incompatibilities(new, PURCHASE) == ["`data.total_minor` is never there"]
    assert incompatibilities(PURCHASE, new) == ["`data.total_cents` is never there"]


def test_the_check_of_recursive_schemas_ends():
    tree: dict[str, Any] = {
        "$ref": "#/$defs/Tree",
        "$defs": {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}},
    }
    deeper = copy.deepcopy(tree)
    deeper["$defs"]["Tree"]["properties"]["left"] = {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}

    assert incompatibilities(tree, tree) == incompatibilities(tree, deeper) == []
    assert incompatibilities(deeper, tree) == ["`left` may be of type null where of type object is expected"]


NUMBERS = st.builds(
    lambda kind, low, width: {"type": kind, "minimum": low, "maximum": low + width},
    st.sampled_from(["integer", "number"]), st.integers(-2, 2), st.integers(0, 3),
)  # fmt: skip
STRINGS = st.builds(
    lambda low, width: {"type": "string", "minLength": low, "maxLength": low + width},
    st.integers(0, 2), st.integers(0, 2),
)  # fmt: skip
ENUMS = st.lists(st.sampled_from(["a", "bb", 1, 2, None]), min_size=1, unique=True).map(lambda v: {"enum": v})
SCALARS = NUMBERS | STRINGS | ENUMS | st.just({"type": "boolean"}) | st.just({"type": "null"})


def objects(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from("abc")
    return st.builds(
        lambda fields, required, free: {
            "type": "object",
            "properties": fields,
            "required": sorted(required & set(fields)),
            **({} if free is None else {"additionalProperties": free}),
        },
        st.dictionaries(names, parts, max_size=3), st.sets(names), st.none() | st.just(False),
    )  # fmt: skip


SCHEMAS = st.recursive(
    SCALARS,
    lambda parts: (
        objects(parts)
        | parts.map(lambda part: {"type": "array", "items": part})
        | st.builds(
            lambda some, least: {"type": "array", "prefixItems": some, "minItems": min(least, len(some))},
            st.lists(parts, min_size=1, max_size=3),
            st.integers(0, 3),
        )
        | st.lists(parts, min_size=1, max_size=3).map(lambda some: {"anyOf": some})
    ),
    max_leaves=4,
)


def document(schema: dict[str, Any], draw: Any) -> Any:
    """A document that a writer of this schema may send, all fields it names included or not."""
    if "anyOf" in schema:
        return document(draw(st.sampled_from(schema["anyOf"])), draw)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema["type"]:
        case "integer":
            return draw(st.integers(schema["minimum"], schema["maximum"]))
        case "number":
            return draw(st.floats(schema["minimum"], schema["maximum"]))
        case "string":
            return draw(st.text("xyz", min_size=schema["minLength"], max_size=schema["maxLength"]))
        case "array" if "prefixItems" in schema:
            parts = schema["prefixItems"]
            return [
                document(part, draw) for part in parts[: draw(st.integers(schema["minItems"], len(parts)))]
            ]
        case "array":
            return [document(schema["items"], draw) for _ in range(draw(st.integers(0, 2)))]
        case "object":
            optional = [name for name in schema["properties"] if name not in schema["required"]]
            sent = schema["required"] + [name for name in optional if draw(st.booleans())]
            return {name: document(schema["properties"][name], draw) for name in sent}
        case "boolean":
            return draw(st.booleans())
    return None


@settings(max_examples=300)
@given(SCHEMAS, SCHEMAS, st.data())
def test_without_a_reported_incompatibility_no_document_is_rejected(writer, reader, data):
    sent = document(writer, data.draw)

    assert incompatibilities(writer, reader) or jsonschema_rs.Draft202012Validator(reader).is_valid(sent)


@given(SCHEMAS)
def test_every_schema_is_compatible_with_itself(schema):
    assume('"additionalProperties": false' not in json.dumps(schema))

    assert incompatibilities(schema, schema) == []
