"""docs/import.md agrees with the code."""

import re
from pathlib import Path

from stream.importing.files.mapping.load import load_mapping, parse_mapping, ready_mappings
from stream.importing.files.mapping.mapping import MAPPING_FIELDS
from tests.support.narrow import not_none

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text()


def test_the_page_names_every_field_and_ready_mapping():
    fields = re.search(r"^Fields: (.*?)\.$", PAGE, re.MULTILINE | re.DOTALL)

    assert tuple(re.findall(r"`(\w+)`", not_none(fields)[1])) == MAPPING_FIELDS
    named = re.search(r"^Ready mappings: (.*)$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([a-z0-9-]+)`", not_none(named)[1])) == set(ready_mappings())


def test_the_mapping_shown_is_a_mapping():
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert parse_mapping(not_none(shown)[1], "docs/import.md").customer.whole_number
    assert load_mapping("online-retail").returns.order_prefix == "C"
