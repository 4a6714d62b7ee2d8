"""docs/import.md says what is so."""

import re
from pathlib import Path

from stream.importing.files.mapping import FIELDS, load, parsed, ready

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text()


def test_the_page_names_every_field_and_ready_mapping():
    fields = re.search(r"^Fields: (.*?)\.$", PAGE, re.MULTILINE | re.DOTALL)

    assert tuple(re.findall(r"`(\w+)`", fields[1])) == FIELDS
    named = re.search(r"^Ready mappings: (.*)$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([a-z0-9-]+)`", named[1])) == set(ready())


def test_the_mapping_shown_is_a_mapping():
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert parsed(shown[1], "docs/import.md").customer.whole_number
    assert load("online-retail").returns.order_prefix == "C"
