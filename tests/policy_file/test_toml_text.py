"""Absurd TOML: one fault with its line, at once; whatever is no absurdity is read as tomllib reads it."""

from __future__ import annotations

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.mapping.mapping import MappingError
from stream.policy_file import PolicyFileError, default_text, parse_policy
from stream.toml_text import CHARACTERS_MAX, TomlTextError, as_toml, parsed_toml

ABSURD = {
    "lists in lists": ("x = " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
    "tables in tables": ("x = " + "{a = " * 20_000 + "1" + "}" * 20_000, "nested too deeply"),
    "a dotted key": (".".join("a" * 100_000) + " = 1", "a dotted key of more than 32 parts"),
    "a dotted key with quotes": (
        ".".join(['"a b"'] * 100_000) + " = 1",
        "a dotted key of more than 32 parts",
    ),
    "a dotted table": ("[" + ".".join("a" * 100_000) + "]", "a dotted key of more than 32 parts"),
    "a dotted key in a table": ("x = { " + " . ".join("a" * 100_000) + " = 1 }", "a dotted key of more than"),
    "a long number": ("x = " + "1" * 5_000, "a number of more than 4,000 digits"),
    "a long fraction": ("x = 0." + "1_" * 5_000 + "1", "a number of more than 4,000 digits"),
    "no end": ('x = "' + "a" * 500_000, "not TOML: "),
}


@pytest.mark.parametrize(("text", "problem"), ABSURD.values(), ids=ABSURD)
def test_absurd_toml_is_one_fault_with_its_line(text, problem):
    before = "a = 1\n\n"
    started = time.thread_time()

    with pytest.raises(TomlTextError) as fault:
        parsed_toml(before + text)
    with pytest.raises(PolicyFileError, match=rf"^policy:3: {problem}"):
        parse_policy(before + text)
    with pytest.raises(MappingError, match=rf"^m\.toml, line 3: {problem}"):
        parse_mapping(before + text, "m.toml")

    assert fault.value.line == 3
    assert time.thread_time() - started < 5.0  # some 0.1 s; a key of 100,000 parts took minutes


def test_100_000_keys_are_too_much_or_told_by_the_first_of_them():
    with pytest.raises(TomlTextError, match=f"at most {CHARACTERS_MAX:,} are read"):
        parsed_toml("\n".join(f"key{number}.b = 1" for number in range(100_000)))
    with pytest.raises(PolicyFileError) as faults:
        parse_policy("\n".join(f"k{number}=1" for number in range(2_000)))

    lines = str(faults.value).split("\n")
    assert lines[0].startswith("policy:1: k0: unknown key")
    assert lines[-1] == "policy: and 1,900 more faults"
    assert len(lines) == 101


@pytest.mark.parametrize("parse", [parse_policy, lambda text: parse_mapping(text, "m.toml")])
def test_a_long_key_is_cut_in_the_message(parse):
    with pytest.raises((PolicyFileError, MappingError), match=r"a{50}") as refused:
        parse("a" * 500_000 + " = 1")

    assert len(str(refused.value)) < 1_000


@given(st.text("ab.\"'[]{}=,\n 1#", max_size=80))
def test_any_other_text_is_read_as_tomllib_reads_it(text):
    try:
        wanted = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(TomlTextError):
            parsed_toml(text)
        return
    assert parsed_toml(text) == wanted


def test_the_shipped_policy_is_far_from_the_bounds():
    assert len(default_text()) * 10 < CHARACTERS_MAX


@given(st.one_of(st.text(), st.lists(st.text())))
def test_any_text_that_is_written_as_toml_is_read_back(value):
    assert parsed_toml(f"key = {as_toml(value)}") == {"key": value}


def test_letters_of_any_language_stay_as_they_are():
    assert as_toml(["Größe", "金額", "👍"]) == '["Größe", "金額", "👍"]'
