"""`stream fit ...`: population models from history, and a check of the arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import click

PASSED, FAILED, BAD_USE = 0, 1, 2


@click.group("fit", epilog="Example:  stream fit check tests/fit/clv_cases.csv")
def fit_group() -> None:
    """Fit the population's model, or check the formulas against reference numbers."""


@fit_group.command("check", epilog="Example:  stream fit check tests/fit/clv_cases.csv")
@click.argument("cases", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def check_command(cases: Path, as_json: bool) -> None:
    """Compare the formulas with a CSV of reference cases.

    Prints the largest relative error of each column. Exit code 1 when one is above 1e-6 (1e-9 for p_alive,
    p_active_t and exp_purchases_t), 2 when the file cannot be read.
    """
    from stream.fit.cases import LIMITS, CasesError, check_cases

    try:
        errors = check_cases(cases)
    except CasesError as problem:
        click.echo(f"stream fit check: {problem}", err=True)
        raise SystemExit(BAD_USE) from None
    if as_json:
        columns = {
            error.column: {"cases": error.cases, "largest": error.largest, "worst": error.worst_case}
            for error in errors
        }
        click.echo(json.dumps({"passed": all(error.passed for error in errors), "columns": columns}))
    else:
        click.echo(f"{'column':<18}{'cases':>6}{'largest relative error':>24}{'limit':>9}  worst case")
        for error in errors:
            verdict = "" if error.passed else "  ABOVE THE LIMIT"
            click.echo(
                f"{error.column:<18}{error.cases:>6}{error.largest:>24.2e}{LIMITS[error.column]:>9.0e}"
                f"  {error.worst_case}{verdict}"
            )
    raise SystemExit(PASSED if all(error.passed for error in errors) else FAILED)
