"""The policy file: what it may say, every fault with its line, and the hash of its content."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.calendar import UTC_CALENDAR
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.policy_file import (
    PolicyFault,
    PolicyFileError,
    default_policy,
    default_text,
    duration_ms,
    duration_text,
    load,
    load_policy,
    parse_policy,
)
from stream.policy_file.check import PATTERN_WORDS
from stream.time_zones import calendar_in

KNOB_LINES = [
    number
    for number, line in enumerate(default_text().splitlines(), start=1)
    if re.match(r'^[\w"-]+ = [^[]', line)
]


FAULTY = """\
id = "Mine"
versoin = 3
[churn_risk.hysteresis]
raise_at = 1.5
cool_down_ms = "3d"
dwell = 3
[ladder]
steps = [{ name = "a", quantile = 0 },
  { name = "b", quantil = 0.2 }]
[themes]
x = ["tast*", 3]
[lexicon]
Bad = -9
[finance]
margin = true
horizon = "12h"
[contact]
alerts_max = nan
"""


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyFileError) as raised:
        parse_policy(text, "p.toml")
    return raised.value.lines()


def test_the_shipped_file_has_the_defaults_of_the_structs():
    assert msgspec.structs.replace(default_policy(), hash="") == Policy()


def test_without_a_file_the_policy_is_the_default_one():
    assert parse_policy("") == default_policy() == load_policy(None)


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text('﻿[churn_risk.hysteresis]\ndwell = "1d12h"\n', encoding="utf-8")
    policy = load_policy(file)
    usual = default_policy()

    assert policy.churn_risk.hysteresis.dwell_ms == 1.5 * DAY_MS
    assert policy.churn_risk.hysteresis.raise_at == usual.churn_risk.hysteresis.raise_at
    assert policy.at_risk_loyal == usual.at_risk_loyal


def test_tables_of_names_are_added_to_the_default_ones():
    policy = parse_policy(
        '[themes]\ntaste = ["tast*"]\napp = []\n[lexicon]\nmeh = -1\n[playbook.PROMOTER]\naction = "THANK"\n'
    )

    assert policy.themes["taste"] == ("tast*",)
    assert policy.themes["app"] == ()
    assert policy.themes["price"] == Policy().themes["price"]
    assert policy.lexicon["meh"] == -1.0
    assert policy.lexicon["late"] == Policy().lexicon["late"]
    assert policy.playbook["PROMOTER"].action == "THANK"
    assert policy.playbook["PROMOTER"].text == Policy().playbook["PROMOTER"].text


def test_an_empty_text_means_none_where_there_may_be_none():
    policy = parse_policy('[playbook.PROMOTER]\nrequires_consent = ""\n')

    assert policy.playbook["PROMOTER"].requires_consent is None


def test_all_faults_are_told_at_once_each_with_file_line_and_key():
    assert faults(FAULTY) == [
        "p.toml:1: id: 'Mine' is not allowed; allowed: a text of 1 to 64 characters "
        "(lower-case letters, digits and _, beginning with a letter)",
        "p.toml:2: versoin: unknown key; did you mean version?",
        "p.toml:4: churn_risk.hysteresis.raise_at: 1.5 is not allowed; allowed: a number from 0 to 1",
        "p.toml:5: churn_risk.hysteresis.cool_down_ms: unknown key; did you mean cool_down?",
        "p.toml:6: churn_risk.hysteresis.dwell: 3 is not allowed; allowed: "
        'a duration as text: "30d", "12h", "15m", "1d12h"',
        "p.toml:9: ladder.steps[1].quantil: unknown key; did you mean quantile?",
        "p.toml:9: ladder.steps[1]: quantile is missing: a number from 0 to 1",
        "p.toml:11: themes.x[1]: 3 is not allowed; allowed: a text of 1 to 64 characters "
        "(a word, a word's beginning with *, or a phrase)",
        "p.toml:13: lexicon.Bad: the key 'Bad' is not allowed; allowed: a text of 1 to 64 characters "
        "(one lower-case word)",
        "p.toml:13: lexicon.Bad: -9 is not allowed; allowed: a number from -4 to 4",
        "p.toml:15: finance.margin: true is not allowed; allowed: a number from 0 to 1",
        "p.toml:16: finance.horizon: '12h' is too short; allowed: at least 1d",
        "p.toml:18: contact.alerts_max: nan is not allowed; allowed: a whole number from 1 to 100",
    ]


@pytest.mark.parametrize("line", KNOB_LINES)
def test_a_value_of_the_wrong_type_is_found_at_every_key(line):
    rows = default_text().splitlines()
    rows[line - 1] = rows[line - 1].split(" = ")[0] + " = 1979-05-27"

    found = faults("\n".join(rows))

    assert len(found) == 1
    assert found[0].startswith(f"p.toml:{line}: ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("hash = 'x'", "p.toml:1: hash: unknown key; there are id, version,"),
        ("a = 1\na = 2\n", "p.toml:2: not TOML: cannot overwrite a value"),
        ("id = ", "p.toml:1: not TOML: invalid value"),
        ('id = "x', "p.toml:1: not TOML: unterminated string"),
        ("ladder = 3", "p.toml:1: ladder: 3 is not allowed; allowed: a table"),
        ("[ladder]\nsteps = []", "p.toml:2: ladder.steps: has 0 entries; allowed: 2 to 8"),
        ('id = "a\\u0007"', "p.toml:1: id: 'a\\x07' is not allowed"),
    ],
)
def test_what_is_not_a_policy_is_one_fault(text, fault):
    (found,) = faults(text)

    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[churn_risk]\n\ntier_min = 'gould'",
            "p.toml:3: churn_risk.tier_min: 'gould' is not a tier of this policy",
        ),
        ("[at_risk_loyal]\ntier_min = 'x'", "p.toml:2: at_risk_loyal.tier_min: 'x' is not a tier"),
        (
            "[churn_risk.hysteresis]\nclear_at = 0.6",
            "p.toml:2: churn_risk.hysteresis.clear_at: 0.6 is not below",
        ),
        (
            "[at_risk_loyal.hysteresis]\nescalate_at = 0.4",
            "p.toml:2: at_risk_loyal.hysteresis.escalate_at: 0.4 is",
        ),
        ("[stages]\nloyal_purchase_days = 2", "p.toml:2: stages.loyal_purchase_days: 2 is below"),
        (
            "[playbook.SENTIMENT_LOWW]\naction = 'A'\ntext = 'b'",
            "p.toml:1: playbook.SENTIMENT_LOWW: unknown reason; did you mean SENTIMENT_LOW?",
        ),
        (
            "[ladder]\nsteps = [{ name = 'silver', quantile = 0.1 }, { name = 'gold', quantile = 0.5 }]",
            "p.toml:2: ladder.steps[0].quantile: the lowest tier takes everybody",
        ),
        (
            "[[ladder.steps]]\nname = 'silver'\nquantile = 0\n[[ladder.steps]]\nname = 'gold'\nquantile = 0",
            "p.toml:6: ladder.steps[1].quantile: 0.0 is not above 0.0 of silver",
        ),
        (
            "[ladder]\nsteps = [{name='gold',quantile=0},{name='b',quantile=0.5},{name='b',quantile=0.6}]\n"
            "[churn_risk]\ntier_min = 'b'",
            "p.toml:2: ladder.steps[2].name: 'b' is the name of an earlier tier",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_a_fault(text, fault):
    (found,) = faults(text)

    assert found.startswith(fault)


def test_a_file_that_is_not_text_is_a_fault_with_its_line(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_bytes(b'id = "x"\n# \xff\n')

    with pytest.raises(PolicyFileError, match=re.escape(f"{file}:2: not UTF-8 text")):
        load_policy(file)


def test_the_hash_is_that_of_the_content_not_of_the_file():
    plain = parse_policy("[finance]\nmargin = 0.5\n[contact]\nalerts_max = 4\n")
    reordered = parse_policy("# why\ncontact = { alerts_max = 4 }\nfinance.margin = 5e-1 # half\n")
    other = parse_policy("[finance]\nmargin = 0.51\n[contact]\nalerts_max = 4\n")

    assert re.fullmatch("sha256:[0-9a-f]{64}", plain.hash)
    assert plain == reordered
    assert plain.hash != other.hash != default_policy().hash


@pytest.mark.parametrize(
    ("zone", "problem"),
    [
        ("Europe/Berln", "not a time zone; allowed: a name of the IANA database (tzdata "),
        ("europe/berlin", "spelt just so; did you mean Europe/Berlin?"),
        ("CEST", "not a time zone; allowed: a name of the IANA database (tzdata "),
        ("+01:00", "is not allowed; allowed: a text of 1 to 64 characters (a name of the IANA database"),
        ("../Berlin", "is not allowed; allowed: a text of 1 to 64 characters (a name of the IANA database"),
        ("", "is not allowed; allowed: a text of 1 to 64 characters (a name of the IANA database"),
    ],
)
def test_a_zone_that_tzdata_does_not_have_is_a_fault_with_its_line_and_what_is_allowed(zone, problem):
    (found,) = faults(f"[business]\nzone = '{zone}'")

    assert found.startswith(f"p.toml:2: business.zone: '{zone}'")
    assert problem in found


def test_a_bad_zone_is_told_together_with_all_other_faults():
    found = faults("[business]\nzone = 'Mars/Base'\n[finance]\nmargin = 2")

    assert [one.split(": ")[1] for one in found] == ["business.zone", "finance.margin"]


def test_the_calendar_of_a_policy_is_that_of_its_zone():
    assert parse_policy("").calendar is UTC_CALENDAR
    assert parse_policy("[business]\nzone = 'Asia/Kathmandu'").calendar == calendar_in("Asia/Kathmandu")


def test_a_policy_without_a_zone_keeps_its_hash_of_before_there_were_zones():
    before = "sha256:a67e09da3fc9de19dc127a1fd0fbfa99f8a6f4c8c2eeda0814b2249b9edfef75"

    assert default_policy().hash == parse_policy("[business]\nzone = 'UTC'").hash == before


def test_the_version_of_the_zone_data_is_part_of_the_hash_where_a_zone_is_set(monkeypatch):
    ours, utc = parse_policy("[business]\nzone = 'Europe/Rome'").hash, parse_policy("").hash
    monkeypatch.setattr(load, "tzdata_version", lambda: "1999.1")

    assert parse_policy("[business]\nzone = 'Europe/Rome'").hash not in (ours, utc)
    assert parse_policy("").hash == utc


def test_every_text_pattern_of_the_structs_is_explained():
    schema = msgspec.json.encode(msgspec.json.schema(Policy)).decode()
    patterns = {
        msgspec.json.decode(f'"{found}"') for found in re.findall(r'"pattern":"((?:[^"\\]|\\.)*)"', schema)
    }

    assert patterns == PATTERN_WORDS.keys()


@given(st.integers(0, 10**12))
def test_a_duration_in_whole_seconds_reads_back_as_it_was(seconds):
    assert duration_ms(duration_text(seconds * 1_000)) == seconds * 1_000


@pytest.mark.parametrize(
    "text", ["", " ", "30", "d", "1.5d", "-1d", "1h1d", "1d1d", "1 d", "1y", "٣d", "9" * 12 + "d"]
)
def test_what_is_not_a_duration_is_rejected(text):
    assert duration_ms(text) is None


@given(st.text(max_size=60))
def test_any_text_at_all_is_a_policy_or_a_list_of_faults(text):
    try:
        parse_policy(text)
        faults: Sequence[PolicyFault] = ()
    except PolicyFileError as found:
        faults = found.faults or [PolicyFault(0, "", "no fault named")]

    assert all(1 <= each.line <= text.count("\n") + 1 for each in faults)


def test_the_shipped_file_is_toml_with_every_key_of_the_structs():
    written = tomllib.loads(default_text())

    assert written.keys() == set(Policy.__struct_fields__) - {"hash", "calendar"}
