"""Absurd cells and broken files: a line is rejected with its number and reason, a file with one line."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.files.mapping.mapping import MoneyOptions
from stream.importing.files.values.amounts import TEXT_MAX, amount_reader

MAPPING = """
source = "/x"
[columns]
order = "order"
customer = "customer"
time = "time"
line_total = "total"
currency = "currency"
product = "product"
quantity = "quantity"
[time]
formats = ["iso", "unix_s"]
"""
ROW: dict[str, Any] = {
    **{"customer": "c1", "order": "o", "time": "2024-01-05", "total": "10.50", "currency": "EUR"},
    **{"product": "p", "quantity": "1"},
}
CELLS = {
    "5,000 digits": {"total": "1" * 5_000},
    "5,000 decimals": {"total": "1." + "1" * 5_000},
    "5,000 digits in groups": {"total": "1" + " 111" * 1_700},
    "5,000 digits and a power": {"total": "1" * 5_000 + "e2"},
    "a quantity of 5,000 digits": {"quantity": "9" * 5_000},
    "1e400": {"total": "1e400"},
    "Infinity": {"total": "Infinity"},
    "NaN": {"total": "NaN"},
    "Arabic digits": {"total": "٣"},
    "an Arabic quantity": {"quantity": "٣"},
    "full-width digits": {"total": "１２"},
    "2^53 minor units": {"total": "90071992547409.92"},
    "a million of them at most": {"quantity": "1000001"},
    "the year 0": {"time": "0000-01-01"},
    "the year 99999": {"time": "99999-01-01"},
    "seconds of 5,000 digits": {"time": "9" * 5_000},
    "seconds beyond any calendar": {"time": "9" * 30},
    "a customer of NUL": {"customer": "\0"},
    "a product of 2 MB": {"product": "x" * 2_000_000},
}


def imported(path: Path, tmp_path: Path) -> tuple[int, str, list[dict[str, Any]]]:
    """Exit code, output, and the rejects."""
    (tmp_path / "m.toml").write_text(MAPPING)
    rejects = tmp_path / "rejects.jsonl"
    arguments = ["import", str(path), "--mapping", str(tmp_path / "m.toml"), "--rejects-max", "1"]
    result = CliRunner().invoke(
        main, [*arguments, "--out", str(tmp_path / "out.jsonl"), "--rejects", str(rejects)]
    )
    lines = rejects.read_text().splitlines() if rejects.is_file() else []
    return result.exit_code, result.output, [json.loads(line) for line in lines]


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_with_an_absurd_cell_is_rejected_and_the_others_are_imported(kind, cells, tmp_path):
    rows = [ROW | {"order": "first"}, ROW | cells, ROW | {"order": "last"}]
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        path.write_text("\n".join([",".join(ROW), *(",".join(row.values()) for row in rows)]) + "\n")
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")

    code, output, rejects = imported(path, tmp_path)

    assert code == 0, output
    assert [reject["line"] for reject in rejects] == [3 if kind == "csv" else 2]
    assert rejects[0]["reason"]
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "number", ["1" * 5_000, "1." + "1" * 5_000, "1e400", "NaN", "[" * 5_000 + "]" * 5_000]
)
def test_a_json_line_with_an_absurd_number_is_rejected(number, tmp_path):
    good = json.dumps(ROW)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([good, good.replace('"10.50"', number).replace('"o"', '"p"')]) + "\n")

    code, output, rejects = imported(path, tmp_path)

    assert (code, [reject["line"] for reject in rejects]) == (0, [2]), output


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table({name: [text] * 5 for name, text in ROW.items()} | columns), path)
    return path


def test_parquet_times_beyond_any_calendar_are_rejected_lines(tmp_path):
    at = datetime.datetime(2024, 1, 5, tzinfo=datetime.UTC)
    times = pa.array([round(at.timestamp() * 1e6), 2**62, -(2**62), None, 0], pa.timestamp("us"))
    totals = pa.array([Decimal("10.5"), *[Decimal("9" * 38)] * 4], pa.decimal256(50, 2))

    code, output, rejects = imported(parquet(tmp_path / "t.parquet", time=times, total=totals), tmp_path)

    assert (code, [reject["line"] for reject in rejects]) == (0, [2, 3, 4, 5]), output
    assert rejects[0]["values"]["time"] == f"{2**62} out of range"


BROKEN = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "no Parquet": lambda content: b"customer,order\n",
    "hollow": lambda content: b"PAR1" + bytes(500) + b"PAR1",
    "pages overwritten": lambda content: content[:40] + bytes(200) + content[240:],
    "a footer of 2 GB": lambda content: content[:-8] + (2**31 - 1).to_bytes(4, "little") + content[-4:],
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_a_broken_parquet_file_ends_the_import_with_one_line_that_names_it(spoil, tmp_path):
    path = parquet(tmp_path / "broken.parquet")
    path.write_bytes(spoil(path.read_bytes()))

    code, output, _ = imported(path, tmp_path)

    assert code == 2
    assert f"{path}: a broken Parquet file, after " in output
    assert not (tmp_path / "out.jsonl").exists()


def test_amounts_of_usual_length_are_read_as_before():
    read = amount_reader(MoneyOptions())

    assert read("0." + "1" * 55) == (int("1" * 55), 55)
    assert read("9" * TEXT_MAX) == (int("9" * TEXT_MAX), 0)
    assert read("9" * (TEXT_MAX + 1)) is None


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_no_mapping_is_suggested_for_a_broken_file_which_is_named(spoil, tmp_path):
    path = parquet(tmp_path / "broken.parquet")
    path.write_bytes(spoil(path.read_bytes()))

    result = CliRunner().invoke(main, ["import", "--suggest", str(path)])

    assert result.exit_code == 2
    assert f"{path}: a broken Parquet file, after 0 rows: " in result.output


def test_a_mapping_is_suggested_for_a_file_with_an_absurd_cell(tmp_path):
    path = tmp_path / "long.csv"
    rows = [ROW, ROW | {"product": "x" * 2_000_000}, ROW]
    path.write_text("\n".join([",".join(ROW), *(",".join(row.values()) for row in rows)]) + "\n")

    result = CliRunner().invoke(main, ["import", "--suggest", str(path)])

    assert result.exit_code == 0, result.output
    assert "[columns]" in result.output


def test_parquet_times_beyond_any_calendar_are_not_suggested_as_the_time(tmp_path):
    path = parquet(tmp_path / "late.parquet", time=pa.array([2**62] * 5, pa.timestamp("us")))

    result = CliRunner().invoke(main, ["import", "--suggest", str(path)])

    assert (result.exit_code, "no column looks like the time" in result.output) == (2, True)
