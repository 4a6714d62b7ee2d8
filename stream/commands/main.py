"""`stream ...`: parsing only.

Each command lives in its own shell as a click command and is named in COMMANDS; its module is imported when
the command runs, so that `stream --help` needs no Kafka client, pandas or scipy.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

from stream import __version__

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("stream.commands.demo:demo", "A real year through the real worker, no Kafka needed."),
    "import": ("stream.commands.import_group:import_group", "Turn data sets or your own files into events."),
    "worker": ("stream.commands.worker:worker_command", "Keep profiles, send alerts."),
    "replay": (
        "stream.commands.replay:replay_command",
        "Run the worker's step over recorded events: profiles and alerts, no Kafka.",
    ),
    "explain": (
        "stream.commands.explain:explain_command",
        "Everything known of one customer, in plain words.",
    ),
    "policy": (
        "stream.commands.policy:policy_group",
        "Check, print or compare policy files.",
    ),
    "topics": ("stream.commands.topics:topics_group", "Create and check the Kafka topics."),
    "backtest": (
        "stream.commands.backtest:backtest_command",
        "Would these alerts have been right? Judge a policy on history.",
    ),
    "report": (
        "stream.commands.report:report_command",
        "Won, grown, kept; worth against cost; why customers leave.",
    ),
    "fit": (
        "stream.commands.fit:fit_group",
        "Fit the population's model from history; check the formulas.",
    ),
    "settings": (
        "stream.commands.settings:settings_command",
        "Check the environment; show what is in force.",
    ),
    "schemas": (
        "stream.commands.schemas:schemas",
        "Export the event contract, and check what a change breaks.",
    ),
    "send": ("stream.commands.send:send_command", "Send events from files to their topics."),
    "dlq": ("stream.commands.dlq:dlq_group", "List dead letters, look at one, send them again."),
    "doctor": ("stream.commands.doctor:doctor_command", "Find out what is wrong, and what to do."),
}
"""Name -> ("module:attribute", one line for `stream --help`), in the order the help lists them."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def __init__(self, *, commands_by_name: Mapping[str, tuple[str, str]], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.commands_by_name = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_by_name:
            return None
        module, _, attribute = self.commands_by_name[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), f"{module}:{attribute} is no click command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the table's own one-liners: click's way would import every command."""
        rows = [(name, summary) for name, (_, summary) in self.commands_by_name.items()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="stream")
def main() -> None:
    """Customer-centric stream processing: profiles in, explained alerts out."""
