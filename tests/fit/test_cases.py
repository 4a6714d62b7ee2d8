"""`stream fit check` passes on the reference cases and fails on a wrong number."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.fit.cases import LIMITS, CasesError, check_cases, model_of, quantities, relative_error
from tests.support.pareto import Pareto, pareto_case

REFERENCE = Path(__file__).parent / "clv_cases.csv"
with REFERENCE.open() as lines:
    PARETO_ROWS = [row for row in csv.DictReader(lines) if model_of(row) == "pnbd"]


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
    errors, skipped = check_cases(REFERENCE)

    assert {error.column: error.cases for error in errors} == {
        "p_alive": 19, "p_active_t": 19, "exp_purchases_t": 19, "exp_value": 19, "dert_inf": 19, "det_t": 19,
        "clv_inf": 19, "clv_t": 19, "clv_12steps_1pct": 19,
    }  # fmt: skip
    assert max(error.largest for error in errors) < 1e-10
    assert skipped == len(PARETO_ROWS) == 6


@pytest.mark.parametrize("row", PARETO_ROWS, ids=lambda row: row["id"])
def test_the_oracle_of_pareto_holds_to_one_in_ten_billion(row):
    population = Pareto(*(float(row[name]) for name in ("r", "alpha", "s", "beta")))
    case = pareto_case(population, int(row["x"]), float(row["t_x"]), float(row["T"]))

    ours = {column: value() for column, value in quantities(case, row, "").items() if row[column]}

    assert LIMITS.keys() - ours.keys() == {"p_active_t"}  # the reference has none for this model
    assert max(relative_error(value, float(row[column])) for column, value in ours.items()) < 1e-10


def test_a_wrong_reference_is_found_and_named(tmp_path):
    path = changed(tmp_path, lambda row: row.update(p_alive=str(float(row["p_alive"]) * (1 + 2e-9))))

    result = CliRunner().invoke(main, ["fit", "check", str(path), "--json"])

    assert result.exit_code == 1
    assert not json.loads(result.output)["passed"]
    assert json.loads(result.output)["columns"]["p_alive"]["largest"] == pytest.approx(2e-9, rel=1e-3)


def test_the_command_passes_on_the_reference():
    result = CliRunner().invoke(main, ["fit", "check", str(REFERENCE)])

    assert result.exit_code == 0
    assert result.output.splitlines()[-1].startswith("6 cases of Pareto/NBD were skipped")


def test_a_file_of_pareto_alone_cannot_be_compared(tmp_path):
    path = changed(tmp_path, lambda row: row.update(model="pnbd"))

    assert CliRunner().invoke(main, ["fit", "check", str(path)]).exit_code == 2


def test_empty_cells_are_not_compared(tmp_path):
    path = changed(tmp_path, lambda row: row.update(gg_p="", exp_value="", clv_t="", det_t="nan"))

    assert {error.column for error in check_cases(path).errors} == {
        "p_alive", "p_active_t", "exp_purchases_t", "dert_inf",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "poisson"}, "cases.csv:2: model is 'poisson'"),
        ({"x": "many"}, "cases.csv:2: x is 'many'"),
        ({"alpha": ""}, "cases.csv:2: alpha is empty"),
        ({"x": "inf"}, "cases.csv:2: x is 'inf', which is not a number"),
        ({"T": "1e400"}, "cases.csv:2: T is '1e400', which is not a number"),
        ({"p_alive": "-inf"}, "cases.csv:2: p_alive is '-inf', which is not a number"),
        ({"a": "0"}, r"cases.csv:2: \w+ cannot be computed from these parameters \(r .*, a 0.0, b "),
        ({"b": "-1"}, r"cases.csv:2: \w+ cannot be computed from these parameters"),
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
