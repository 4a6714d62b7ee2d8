"""The line of every key: in an example, and in random files made of the constructs that TOML allows."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from stream.policy_file.toml_lines import key_lines, line_of

EXAMPLE = '''\
# comment with [brackets] and key = 1
a = 1
b.c = """
not = "a key"
[nor.a.table]
""" # "
"q.r" = 'single'
list = [ # opening
  1, [2, 3],
  { x = 1, y = "}" },
]
[t]
a = { deep = { er = 1 } }
[[t.steps]]
name = "one"
[[t.steps]]
name = "two" # last
[t.steps.sub]
k = 2026-01-01T00:00:00Z
'''

VALUES = [
    *("1", "[]", "[1, 2]", "{ x = 1, y = [1, 2] }", "{}", "true", "2026-01-01", "-1.5e3"),
    *('"text # no comment"', '"\\" = ["', "'\\'", "[\n  1, # ] one\n  [2,\n 3],\n]"),
    *("'''\nraw\n\"\"\"\n'''", '"""\nescaped \\"""\n = [\n"""', '"""two at the end"""""'),
]


def test_every_key_header_and_element_has_its_line():
    tomllib.loads(EXAMPLE)
    lines = key_lines(EXAMPLE)

    assert {path: line for path, line in lines.items() if path[0] != "t"} == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 3,
        ("q.r",): 7,
        ("list",): 8,
        ("list", 0): 9,
        ("list", 1): 9,
        ("list", 1, 0): 9,
        ("list", 1, 1): 9,
        ("list", 2): 10,
        ("list", 2, "x"): 10,
        ("list", 2, "y"): 10,
    }
    assert lines["t", "a", "deep", "er"] == 13
    assert (lines["t", "steps", 0], lines["t", "steps", 0, "name"]) == (14, 15)
    assert (lines["t", "steps", 1], lines["t", "steps", 1, "name"]) == (16, 17)
    assert lines["t", "steps", 1, "sub", "k"] == 19


def test_a_missing_key_has_the_line_of_the_table_around_it():
    lines = key_lines("[a]\n[a.b]\nc = 1\n")

    assert line_of(lines, ("a", "b", "missing", 3)) == 2
    assert line_of(lines, ("nowhere",)) == 1
    assert line_of(key_lines(""), ("nowhere",)) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["plain", "array"]),
            st.lists(st.tuples(st.sampled_from(VALUES), st.integers(0, 2)), max_size=4),
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_keys_of_a_random_file_are_found_on_their_lines(tables, windows):
    lines: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    for index, (kind, entries) in enumerate(tables):
        table: tuple[str | int, ...] = (
            ("many", expected.get(("count",), 0)) if kind == "array" else (f"t{index}",)
        )
        if kind == "array":
            expected["count",] = expected.get(("count",), 0) + 1
        lines.append("[[many]]" if kind == "array" else f"[ t{index} ] # [x]")
        expected[table] = len(lines)
        for number, (value, blanks) in enumerate(entries):
            lines += ["", "  # k = 1"][:blanks]
            expected[*table, f"k{number}"] = len(lines) + 1
            lines += f'"k{number}" = {value}'.split("\n")
    expected.pop(("count",), None)
    text = ("\r\n" if windows else "\n").join(lines)

    tomllib.loads(text)
    found = key_lines(text)
    assert {path: found.get(path) for path in expected} == expected
