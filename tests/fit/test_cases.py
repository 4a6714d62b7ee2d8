"""`stream fit check`: passes on the reference, and fails, loudly, on a wrong number."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.fit.cases import CasesError, check_cases, relative_error

REFERENCE = Path(__file__).parent / "clv_cases.csv"


def changed(tmp_path, change):
    """The first three cases, after `change` was applied to each row."""
    rows = list(csv.DictReader(REFERENCE.open()))[:3]
    for row in rows:
        change(row)
    path = tmp_path / "cases.csv"
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_column_of_the_reference_holds_to_one_in_ten_billion():
    errors = check_cases(REFERENCE)

    assert {error.column: error.cases for error in errors} == {
        "p_alive": 25, "p_active_t": 19, "exp_purchases_t": 25, "exp_value": 25, "dert_inf": 25, "det_t": 25,
        "clv_inf": 25, "clv_t": 25, "clv_12steps_1pct": 25,
    }  # fmt: skip
    assert max(error.largest for error in errors) < 1e-10


def test_a_wrong_reference_is_found_and_named(tmp_path):
    path = changed(tmp_path, lambda row: row.update(p_alive=str(float(row["p_alive"]) * (1 + 2e-9))))

    result = CliRunner().invoke(main, ["fit", "check", str(path), "--json"])

    assert result.exit_code == 1
    assert not json.loads(result.output)["passed"]
    assert json.loads(result.output)["columns"]["p_alive"]["largest"] == pytest.approx(2e-9, rel=1e-3)


def test_the_command_passes_on_the_reference():
    assert CliRunner().invoke(main, ["fit", "check", str(REFERENCE)]).exit_code == 0


def test_empty_cells_are_not_compared(tmp_path):
    path = changed(tmp_path, lambda row: row.update(gg_p="", exp_value="", clv_t="", det_t="nan"))

    assert {error.column for error in check_cases(path)} == {
        "p_alive", "p_active_t", "exp_purchases_t", "dert_inf",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "poisson"}, "cases.csv:2: model is 'poisson'"),
        ({"x": "many"}, "cases.csv:2: x is 'many'"),
        ({"alpha": ""}, "cases.csv:2: alpha is empty"),
    ],
)
def test_a_file_that_cannot_be_compared_names_line_and_column(tmp_path, change, message):
    path = changed(tmp_path, lambda row: row.update(change))

    with pytest.raises(CasesError, match=message):
        check_cases(path)
    assert CliRunner().invoke(main, ["fit", "check", str(path)]).exit_code == 2


def test_numbers_below_the_smallest_double_count_as_nothing():
    assert relative_error(0.0, 0.0) == 0.0
    assert relative_error(0.0, 5e-324) < 1e-15
    assert relative_error(1.0, 2.0) == 0.5
