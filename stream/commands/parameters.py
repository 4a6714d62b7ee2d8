"""Types of command-line parameters: days, durations, policy and model files. A bad one exits with code 2."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from stream.commands.output_files import OutputFile
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS, YEAR_MS
from stream.model_file import default_model, load_model
from stream.policy_file import PolicyFileError, load_policy
from stream.wire import YEAR_MAX, YEAR_MIN

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = OutputFile()
CALENDAR_UNITS_MS = {"d": DAY_MS, "w": WEEK_MS, "m": YEAR_MS // 12, "y": YEAR_MS}


class Day(click.ParamType):
    """A calendar day such as 2017-07-02, as the milliseconds of its midnight UTC."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds of the day in the text, or of an int as it is."""
        if isinstance(value, int):
            return value
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.fail(f"{value!r} is not a day like 2017-07-02", param, ctx)
        if not YEAR_MIN <= day.year <= YEAR_MAX:
            self.fail(f"{value!r}: years go from {YEAR_MIN} to {YEAR_MAX}", param, ctx)
        return round(day.timestamp()) * 1_000


class Duration(click.ParamType):
    """A whole number of days, weeks, months or years, in milliseconds of whole days."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds of the duration in the text, or of an int as it is."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d{1,5})\s*([dwmy])", str(value).strip())
        duration_ms = int(found[1]) * CALENDAR_UNITS_MS[found[2]] // DAY_MS * DAY_MS if found else 0
        if duration_ms < DAY_MS:
            self.fail(
                f"{value!r} is not a duration like 26w (d days, w weeks, m months, y years)", param, ctx
            )
        return duration_ms


class Instant(click.ParamType):
    """`2017-09-01` or `2017-09-01T12:00`, in UTC unless there is an offset; or `now`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        if isinstance(value, int):
            return value
        try:
            when = datetime.now(UTC) if value == "now" else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time; allowed: 2017-09-01, 2017-09-01T12:00Z, now", param, ctx)
        if not YEAR_MIN <= when.year <= YEAR_MAX:
            self.fail(f"{value!r}: years go from {YEAR_MIN} to {YEAR_MAX}", param, ctx)
        return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1_000)


DAY, DURATION = Day(), Duration()


def chosen_policy(path: Path | None, *, of_worker: bool = False) -> Policy:
    """The policy of a file, or the shipped one; `of_worker`: or that of STREAM_POLICY, as workers have it."""
    if path is None and of_worker:
        path = _file(load_settings().policy)
    try:
        return load_policy(path)
    except PolicyFileError as faults:
        echo(str(faults), err=True)
        raise SystemExit(2) from None


SHIPPED_MODEL = Path("shipped")
"""Stands for the shipped model where another one would be taken by itself; never a file."""


def chosen_model(path: Path | None) -> Model:
    """The model of a file, or the shipped one."""
    try:
        return default_model() if path is None or path == SHIPPED_MODEL else load_model(path)
    except ModelError as error:
        echo(str(error), err=True)
        raise SystemExit(2) from None


def basis_of_worker(policy_path: Path | None, model_path: Path | None) -> Basis:
    """The policy and the model of two files, or those of STREAM_POLICY and STREAM_MODEL, as for workers.

    For commands that read the topics.
    """
    settings = load_settings()
    return chosen_basis(policy_path or _file(settings.policy), model_path or _file(settings.model))


def _file(name: str) -> Path | None:
    return Path(name) if name else None


def chosen_basis(policy_path: Path | None, model_path: Path | None) -> Basis:
    """The policy and the model of two files, or the shipped ones, as the basis of every judgement."""
    try:
        return Basis(chosen_policy(policy_path), chosen_model(model_path))
    except ModelError as error:
        echo(str(error), err=True)
        raise SystemExit(2) from None
