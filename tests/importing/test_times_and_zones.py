"""A zone in the text of a time is obeyed or refused, on every machine; day and month are not exchanged."""

import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.files.mapping.mapping import MappingError, TimeOptions
from stream.importing.files.values.instants import instant_reader
from stream.time_zones import zone_info
from tests.support.importing import CASES, HEADER, INVOICES, case, imported

NOON = int(datetime(2019, 7, 1, 12, tzinfo=UTC).timestamp() * 1_000)
HOUR = 3_600_000


def read(text, form="iso", zone="America/New_York"):
    return instant_reader(TimeOptions(formats=(form,), zone=zone))(text)


def times(done):
    return [e["time"] for e in done.events]


@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S %Z"])
@pytest.mark.parametrize(
    ("zone", "behind"),
    [
        *(("UTC", 0), ("GMT", 0), ("Z", 0), ("EST", 5), ("EDT", 4), ("CST", 6), ("PDT", 7), ("CET", -1)),
        *(("JST", -9), ("America/Chicago", 5), ("Eastern Time (US & Canada)", 4), ("Asia/Kolkata", -5.5)),
    ],
)
def test_a_zone_in_the_text_is_obeyed(form, zone, behind):
    assert read(f"2019-07-01 12:00:00 {zone}", form) == NOON + behind * HOUR


@pytest.mark.parametrize("zone", ["IST", "XYZ", "UTC EST"])
def test_a_zone_that_means_several_or_none_is_refused(zone):
    text = f"2019-07-01 12:00:00 {zone}"

    assert read(text) is None
    assert read(text, "%Y-%m-%d %H:%M:%S %Z") is None


@pytest.mark.parametrize("home", ["UTC", "Asia/Shanghai", "Europe/Berlin"])
def test_the_time_of_the_middle_of_the_us_is_not_taken_for_that_of_china(home):
    assert read("2019-07-01 12:00:00 CST", zone=home) is None
    assert read("2019-07-01 12:00:00 EST", zone=home) == NOON + 5 * HOUR


def test_a_refused_zone_is_explained(tmp_path):
    done = imported(tmp_path, HEADER + "1,mug,1,2020-01-01 10:00 CST,2.00,ann\n")

    assert done.reasons() == [(2, "time_unreadable")]
    assert "name an American zone in [time]" in done.rejects[0]["detail"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Mon Jul 01 12:00:00 UTC 2019", "%a %b %d %H:%M:%S %Z %Y"),
        ("07/01/2019 12:00 PM GMT", "%m/%d/%Y %I:%M %p"),
        ("2019-07-01 12:00:00Z", "%Y-%m-%d %H:%M:%S%Z"),
        ("2019-07-01T12:00:00Z", "iso"),
    ],
)
def test_a_zone_stands_anywhere(text, form):
    assert read(text, form) == NOON


def test_a_time_without_a_zone_does_not_fit_a_format_with_one():
    assert read("2019-07-01 12:00:00", "%Y-%m-%d %H:%M:%S %Z") is None


def test_the_cases_of_zone_names():
    done = case("zone-names", "Z-America_New_York.toml", "orders.csv")
    est = case("zone-names", "Z-America_New_York.toml", "est.csv")

    assert times(done) == ["2019-07-01T12:00:00Z", "2019-07-01T12:00:00Z", "2019-12-31T23:30:00Z"]
    assert times(est) == ["2019-01-15T17:00:00Z", "2019-07-15T16:00:00Z"]


PROGRAM = """
from stream.importing.files.mapping.mapping import TimeOptions
from stream.importing.files.values.instants import instant_reader
for zone in ("EST", "UTC", "CET", "IST"):
    for own in ("Asia/Tokyo", "Europe/Berlin"):
        read = instant_reader(TimeOptions(formats=("%Y-%m-%d %H:%M:%S %Z",), zone=own))
        print(read(f"2019-07-01 12:00:00 {zone}"))
print(instant_reader(TimeOptions(zone="America/New_York"))("2030-07-01 12:00:00"))
"""


def test_the_zone_of_the_machine_and_its_zone_files_change_nothing(tmp_path):
    machines = (("UTC", ""), ("Asia/Kolkata", str(tmp_path)), ("America/New_York", "/usr/share/zoneinfo"))
    answers = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"TZ": zone, "PYTHONTZPATH": path, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            check=True,
        ).stdout
        for zone, path in machines
    }

    assert len(answers) == 1


def test_zone_rules_come_from_the_pinned_package():
    pins = (Path(__file__).parents[2] / "pyproject.toml").read_text()

    assert f'"tzdata=={version("tzdata")}"' in pins
    assert zone_info("Europe/Berlin").key == "Europe/Berlin"


def test_date_time_and_zone_stand_in_columns_of_their_own():
    change = ('time = "Date"', 'time = "Date+Time"')
    local = case("tax-per-line", "net.toml", "items.csv", change=change)
    named = case("tax-per-line", "net.toml", "items.csv", change=(change[0], 'time = "Date+Time+Time Zone"'))

    assert times(local) == ["2026-07-19T03:50:00Z", "2026-07-19T04:10:00Z", "2026-07-20T13:10:00Z"]
    assert named.events == local.events


def test_a_missing_time_beside_its_date_is_the_beginning_of_the_day(tmp_path):
    text = (CASES / "tax-per-line" / "items.csv").read_text().replace("23:50:00", "")
    mapping = (CASES / "tax-per-line" / "net.toml").read_text().replace('"Date"', '"Date+Time"')

    assert times(imported(tmp_path, text, mapping))[0] == "2026-07-18T04:00:00Z"


MONTH_FIRST = INVOICES + '[time]\nformats = ["%m/%d/%Y"]\n'


def invoices(*days):
    return HEADER + "".join(f"{n},mug,1,{day},2.00,ann\n" for n, day in enumerate(days, start=1))


def test_a_format_that_exchanges_day_and_month_is_refused_as_a_whole(tmp_path):
    with pytest.raises(MappingError, match=r"'25/12/2020' fit '%d/%m/%Y'.* set formats") as caught:
        imported(tmp_path, invoices("01/02/2020", "25/12/2020", "05/06/2020"), MONTH_FIRST)

    assert "'%m/%d/%Y' reads no day after the 12th" in str(caught.value)


def test_a_single_wrong_time_among_surely_read_ones_is_one_reject(tmp_path):
    done = imported(tmp_path, invoices("01/02/2020", "25/12/2020", "12/25/2020"), MONTH_FIRST)

    assert done.reasons() == [(3, "time_unreadable")]


def test_times_that_fit_no_format_either_way_are_rejects(tmp_path):
    done = imported(tmp_path, invoices("01/02/2020", "yesterday"), MONTH_FIRST)

    assert done.reasons() == [(3, "time_unreadable")]


LOCAL = "2019-07-01 12:00"
BERLIN = INVOICES + '[time]\nzone = "Europe/Berlin"\n'


@pytest.mark.parametrize(
    ("at", "mapping", "policy", "is_named"),
    [
        (LOCAL, BERLIN, "", True),
        (LOCAL, BERLIN, "Europe/Berlin", False),
        (LOCAL, INVOICES, "", False),
        (LOCAL, INVOICES, "Europe/Berlin", True),
        (f"{LOCAL}+02:00", BERLIN, "", False),
    ],
)
def test_a_mapping_of_another_zone_than_the_policy_is_told(tmp_path, at, mapping, policy, is_named):
    (tmp_path / "x.csv").write_text(f"{HEADER}1,mug,1,{at},2.00,ann\n")
    (tmp_path / "m.toml").write_text(mapping)
    (tmp_path / "p.toml").write_text(f'[business]\nzone = "{policy}"\n')
    words = ["import", str(tmp_path / "x.csv"), "--mapping", str(tmp_path / "m.toml")]
    words += [
        "--out",
        str(tmp_path / "out.jsonl"),
        *(["--policy", str(tmp_path / "p.toml")] if policy else []),
    ]
    answer = CliRunner().invoke(main, words)

    assert answer.exit_code == 0, answer.output
    assert ("caution: times without a zone are taken in " in answer.stderr) == is_named
