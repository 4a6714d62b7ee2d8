"""`stream try FILE`: from an export to alerts and a report in one command, each step shown."""

from __future__ import annotations

import json
import re
import shlex
import sys
from itertools import islice
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

from stream.commands import try_folder
from stream.commands.parameters import EXISTING, chosen_policy
from stream.commands.recorded_events import now_option
from stream.commands.shown import echo
from stream.commands.try_folder import TryFolder
from stream.commands.try_steps import run_step, say
from stream.core.alerts.alert import Alert, rfc3339
from stream.core.calendar import Calendar
from stream.core.facts.profile import Head, Profile
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.progress import progress
from stream.recording.event_file import UnreadableFileError, numbered_lines
from stream.recording.recording import Recording
from stream.wire import Rejected, decode_line

LOOKED_AT = 20
"""Lines of a file by which events are told from a table."""
PREVIEW = "# The first events:"
"""What of a proposed mapping is not shown begins with this line."""
FORMATS = re.compile(r"(?i)(\.(csv|tsv|txt|json|jsonl|ndjson|parquet))?(\.(gz|zst))?$")
"""What a file's name ends with that says only its format."""
BAD_USE = 2
"""Exit code of a step that was refused: its line says why."""
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("try")
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@click.option("--out", type=FOLDER, help="Folder for all results. [default: NAME.try in the current folder]")
@click.option("--mapping", help="A mapping (TOML file or ready one) instead of the one that is suggested.")
@click.option("--policy", type=EXISTING, help="Policy file (TOML). [default: the shipped one]")
@now_option
def try_command(
    files: tuple[Path, ...], out: Path | None, mapping: str | None, policy: Path | None, now_ms: int
) -> None:
    """Turn an export (CSV, TSV, JSON, Parquet), or a file of events, into alerts and a report.

    Suggests a mapping, imports, fits a model, replays, backtests and reports; each step is shown as the
    command that repeats it alone. A mapping that you edited in the folder is kept and used by the next run;
    all other results of an earlier run stay until there are new events. Exit code 1: much of the file was
    rejected, no line became an event, or no purchase has a price, so that no alert can ever be raised.

    \b
    Example:
      stream try orders.csv
    """
    folder = TryFolder(out or Path(f"{FORMATS.sub('', files[0].name) or 'export'}.try"), files)
    say(f"Everything goes to {folder.path}/.")
    as_of = ["--now", rfc3339(now_ms)] if _is_given("now_ms") else []
    chosen = [*(["--policy", str(policy)] if policy else []), *as_of]
    events: list[str] = []
    try:
        events, code = _events(files, folder, mapping, chosen)
    finally:
        if events:
            folder.forget_before()
        elif folder.restore():
            say("The results of the run before are still there.")
    if events:
        model = _fitted(events, folder, chosen)
        code = _judged(events, folder, [*model, *chosen]) or code
        _checked(events, folder, chosen, (policy, now_ms))
        _reported(events, folder, [*model, *chosen])
        last_ms = _last_event_ms(events, now_ms)
        calendar, options = chosen_policy(policy).calendar, ["--at", rfc3339(last_ms), *model, *chosen]
        is_priced = _print_result(folder, events, options, calendar)
        if code:
            say("Part of the file could not be used: the first steps above say which lines, and why.")
        code = code or (0 if is_priced else 1)
    sys.exit(code)


def _is_given(parameter: str) -> bool:
    return click.get_current_context().get_parameter_source(parameter) is not ParameterSource.DEFAULT


def _events(
    files: tuple[Path, ...], folder: TryFolder, mapping: str | None, chosen: list[str]
) -> tuple[list[str], int]:
    """The files of events, none where there is nothing to go on with; and the exit code so far.

    `chosen`: the options of policy and as-of time.
    """
    names = [str(path) for path in files]
    if all(map(_holds_events, files)):
        say(f"{', '.join(names)}: events already, nothing to import.")
        return names, 0
    if mapping is None:
        mapping = str(folder / try_folder.MAPPING)
        if folder.has_own_mapping:
            say(f"{mapping} was edited: it is kept and used.")
        else:
            code = run_step("1. Which column is what?", ["import", "--suggest", names[0]], Path(mapping))
            if code:
                say("So nothing was imported.")
                return [], code
            folder.note()
            echo(Path(mapping).read_text(encoding="utf-8").partition(PREVIEW)[0].rstrip())
    events = folder / try_folder.EVENTS
    words = ["import", *names, "--mapping", mapping, *chosen, "--out", str(events)]
    code = run_step("2. Lines become events.", words)
    folder.note()
    if code == BAD_USE:
        say("So nothing was imported.")
        return [], code
    if not events.exists() or not any(True for _ in numbered_lines(events)):
        say(f"No events, so no alerts. {_remedy(mapping)}")
        return [], code or 1
    return [str(events)], code


def _remedy(mapping: str) -> str:
    if Path(mapping).is_file():
        return f"Correct {mapping}, then run the same command again."
    return f"Is {mapping} the mapping of this file? Without --mapping one is suggested."


def _holds_events(path: Path) -> bool:
    """Whether one of the first lines is an event, or would be one of a newer version."""
    try:
        return any(
            not isinstance(decode_line(line), Rejected) for _, line in islice(numbered_lines(path), LOOKED_AT)
        )
    except UnreadableFileError:
        return False


def _fitted(events: list[str], folder: TryFolder, chosen: list[str]) -> list[str]:
    """The option of the fitted model; none where nothing can be fitted."""
    model = folder / try_folder.MODEL
    code = run_step("3. A model of these customers.", ["fit", *events, *chosen, "--out", str(model)])
    folder.note()
    if code:
        say("So the shipped model judges them; it was fitted to another shop.")
        return []
    return ["--model", str(model)]


def _judged(events: list[str], folder: TryFolder, options: list[str]) -> int:
    profiles, alerts = str(folder / try_folder.PROFILES), str(folder / try_folder.ALERTS)
    words = ["replay", *events, *options, "--profiles", profiles, "--alerts", alerts]
    code = run_step("4. Profiles and alerts, as a worker would have sent them.", words)
    folder.note()
    return code


def _checked(events: list[str], folder: TryFolder, chosen: list[str], how: tuple[Path | None, int]) -> None:
    """The backtest, where the history is long enough; `how`: the policy file and the clock."""
    from stream.analysis.backtest.default_span import HORIZON_WEEKS_MIN, default_span
    from stream.analysis.backtest.summary import precision_sentences
    from stream.analysis.fit_recording import NoPurchasesError, coverage_of
    from stream.fit.coverage import day
    from stream.recording.jobs import jobs_over

    title = "5. Would such alerts have been right?"
    try:
        recording = Recording([Path(name) for name in events], progress, how[1])
        with jobs_over(recording) as jobs:
            span = default_span(coverage_of(jobs, chosen_policy(how[0]).calendar))
    except NoPurchasesError as problem:
        say(f"\n{title} Not tested: {problem}.")
        return
    if span is None:
        say(f"\n{title} Not tested: that takes purchases over {3 * HORIZON_WEEKS_MIN} weeks at least.")
        return
    numbers = folder / try_folder.NUMBERS
    report = ["--report", str(folder / try_folder.BACKTEST), "--json"]
    words = ["backtest", *events, "--split", day(span.split_ms), "--horizon", f"{span.horizon_weeks}w"]
    if run_step(title, [*words, *chosen, *report], numbers) == 0:
        for sentence in precision_sentences(json.loads(numbers.read_text(encoding="utf-8"))):
            say(sentence)
    folder.note()


def _reported(events: list[str], folder: TryFolder, options: list[str]) -> None:
    page = str(folder / try_folder.REPORT)
    if run_step(
        "6. Who was won, grown and kept?",
        ["report", *events, *options, "--out", page, "--publish", str(folder.path)],
    ):
        say("So there is no report.")
    folder.note()


def _last_event_ms(events: list[str], now_ms: int) -> int:
    """The time of the last event, which the alerts and the report are of."""
    recording = Recording([Path(name) for name in events], progress, now_ms)
    return max((event.time_ms for event in recording.events("looking for the last day")), default=now_ms)


def _print_result(folder: TryFolder, events: list[str], options: list[str], calendar: Calendar) -> bool:
    """The alerts that are open and have most money at stake, the files, and what to do next.

    False where no alert can ever be raised, because nothing has a price.
    """
    from stream.demo.summary import AlertHistory
    from stream.wording.alert import alert_lines

    alerts, decode = AlertHistory(), msgspec.json.Decoder(Alert).decode
    for _, line in numbered_lines(folder / try_folder.ALERTS):
        alerts.add(decode(line))
    raised = sum(states["raised"] for states in alerts.counts.values())
    is_priced = raised > 0 or _is_priced(folder)
    if raised:
        say(f"\n{raised:,} alerts were raised in all.")
    else:
        say("\nNo alert was raised." if is_priced else f"\nRESULT: {NO_ALERT_EVER}")
    shown = alerts.most_valuable_at_risk()
    for alert in shown:
        headline, *details = alert_lines(alert, calendar)
        say("\n".join(["", headline, *(f"  {line}" for line in details)]))
    say(f"\nIn {folder.path}/: {', '.join(name for name in try_folder.OUTPUTS if folder.has(name))}")
    say("Next:")
    if folder.has(try_folder.MAPPING):
        of_money = "the currency above all" if is_priced else "the column of the money above all"
        say(f"  check {folder / try_folder.MAPPING}, {of_money}; then run the same command again")
    echo(f"  stream dashboard {shlex.quote(str(folder.path))}")
    files = [word for name in events for word in ("--events", name)]
    customer = shown[0].subject if shown else _any_customer(folder)
    echo(f"  stream explain {shlex.join([customer, *files, *options])}")  # never wrapped: it is to be copied
    return is_priced


def _is_priced(folder: TryFolder) -> bool:
    """Whether anybody has paid anything."""
    decode = msgspec.json.Decoder(Profile).decode
    return any(
        decode(line).buying.sums.gross_minor for _, line in numbered_lines(folder / try_folder.PROFILES)
    )


def _any_customer(folder: TryFolder) -> str:
    """A customer who has a profile."""
    first = next(iter(numbered_lines(folder / try_folder.PROFILES)), None)
    return msgspec.json.decode(first[1], type=Head).customer if first else "CUSTOMER"
