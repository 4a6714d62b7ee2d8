"""`stream report`: acquisition, development, retention, worth against cost, why customers leave."""

from __future__ import annotations

import json
from pathlib import Path

import click

from stream.commands.parameters import DAY, EXISTING, OUTPUT, chosen_model, chosen_policy
from stream.recording.split import SplitEvents


@click.command("report")
@click.argument("events", nargs=-1, required=True, type=EXISTING)
@click.option("--until", type=DAY, help="The day the report is of, UTC. [default: that of the last event]")
@click.option("--model", type=EXISTING, help="A fitted model. [default: fitted to these events]")
@click.option(
    "--policy", type=EXISTING, help="Policy file (TOML): tiers, margin, discount. [default: shipped]"
)
@click.option("--out", type=OUTPUT, help="Write the report: one HTML file in plain words.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as one JSON object.")
def report_command(
    *,
    events: tuple[Path, ...],
    until: int | None,
    model: Path | None,
    policy: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """What the history says of the business: won, grown, kept; worth against cost; why they leave.

    \b
    Example:
      stream report shop.jsonl --out report.html
    """
    from stream.analysis.business.business import business
    from stream.analysis.business.page import page, write_page
    from stream.analysis.learn import Lacking, learnt_model, purchase_span
    from stream.core.model.record import DAY_MS, Horizon
    from stream.fit.model_fit import Wishes
    from stream.fit.purchases.processes import UnfitError
    from stream.recording.recording import Recording

    rules = chosen_policy(policy)
    try:
        recording = Recording(events)
        _, last_ms = purchase_span(recording)
        day_ms = (last_ms if until is None else until) // DAY_MS * DAY_MS
        wishes = Wishes(name="report", source="these events", horizon=Horizon(), finance=rules.finance)
        fitted = (
            chosen_model(model)
            if model
            else learnt_model(recording, day_ms, wishes, rules, chosen_model(None))
        )
        parted = SplitEvents(recording.events(), day_ms + DAY_MS - 1)
        answer = business(parted.before(), day_ms, fitted, rules)
    except (UnfitError, Lacking) as problem:
        click.echo(f"stream report: {problem}", err=True)
        raise SystemExit(1) from None
    if out is not None:
        write_page(out, answer.numbers)
        click.echo(f"written to {out}", err=True)
    if as_json:
        click.echo(json.dumps(answer.numbers))
    elif out is None:
        click.echo(page(answer.numbers))
