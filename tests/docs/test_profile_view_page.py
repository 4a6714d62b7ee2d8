"""The page about profile views shows the example of the schema, and the schema accepts it."""

import json
import re
from pathlib import Path

import jsonschema_rs
import msgspec

from stream.core.view.profile_view import ProfileView

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "schemas/examples/profile_view/1"


def test_the_example_of_the_page_is_that_of_the_schema_and_valid():
    (shown,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/profile-view.md").read_text(), re.DOTALL)
    schema = json.loads((ROOT / "schemas/profile_view/1.json").read_text())

    assert shown == (EXAMPLES / "good-full.json").read_text()
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(json.loads(shown))


def test_the_example_has_every_field():
    """So that a reader of the page sees all of them; an optional field of a part counts."""
    shown = msgspec.json.decode((EXAMPLES / "good-full.json").read_bytes(), type=ProfileView)
    left_out = {"orders_in_other_currencies"}

    def missing(part: msgspec.Struct) -> set[str]:
        found = set()
        for field in msgspec.structs.fields(type(part)):
            value = getattr(part, field.name)
            if value in (None, (), {}) or (value == field.default and not isinstance(value, msgspec.Struct)):
                found.add(field.name)
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, msgspec.Struct):
                    found |= missing(each)
        return found

    assert missing(shown) == left_out
