"""CONTRIBUTING names the packages that there are, each in one line."""

import re

from tests.support.pages import ROOT, text_of

PAGE = text_of("CONTRIBUTING.md")


def test_every_package_has_one_line_in_the_table():
    folders = {path.parent.name for path in (ROOT / "stream").glob("*/__init__.py")}
    rows = re.findall(r"^\| `stream/(\w+)` \|", PAGE, flags=re.MULTILINE)

    assert sorted(rows) == sorted(folders)
