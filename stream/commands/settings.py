"""`stream settings`: parsing and printing only."""

from __future__ import annotations

import json

import click

from stream.commands.shown import echo
from stream.config.environment import DEFAULTS, TYPES, load_settings, variable
from stream.config.page import settings_page
from stream.config.settings import SECRETS, Settings


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: variable, value.")
@click.option(
    "--markdown", "as_markdown", is_flag=True, help="Print the page docs/settings.md, with defaults."
)
def settings_command(as_json: bool, as_markdown: bool) -> None:
    """Check the settings (environment variables STREAM_*), and show the value of each; secrets as ***.

    Exit code 2 when a variable is wrong, with one line for each problem.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream settings
    """
    if as_markdown:
        click.echo(settings_page(), nl=False)
        return
    settings = load_settings()
    values = shown_values(settings)
    if as_json:
        echo(json.dumps(values))
        return
    width = max(map(len, values))
    for name, value in values.items():
        changed = "" if getattr(settings, _field(name)) == getattr(DEFAULTS, _field(name)) else "  (set)"
        echo(f"{name:<{width}}  {value}{changed}")


def shown_values(settings: Settings) -> dict[str, str | int | float]:
    """Variable -> value in use; a secret as ***."""
    values = {name: getattr(settings, name) for name in TYPES}
    return {variable(n): "***" if n in SECRETS and value else value for n, value in values.items()}


def _field(name: str) -> str:
    return name.removeprefix("STREAM_").lower()
