"""The command line `stream`: a table of its commands.

Each command is a click command in a module of its own, which is imported only when the command runs: `stream
--help` loads no Kafka client, pandas or scipy.
"""

from __future__ import annotations

import errno
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from stream import __version__
from stream.commands.ended import ended_by_signals
from stream.commands.groups import SuggestingGroup
from stream.commands.shown import open_closed_streams, show_unknown_letters_as_codes
from stream.printable import printable_lines
from stream.wording.wrap import for_terminal

ERROR = "Error: "
"""What click prints before a refusal."""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": (
        "stream.commands.demo:demo",
        "Play a year of a real shop through the real worker; needs no Kafka.",
    ),
    "try": (
        "stream.commands.try_file:try_command",
        "From your own export to alerts and a report in one command.",
    ),
    "import": (
        "stream.commands.import_group:import_group",
        "Turn public data sets or your own files into events.",
    ),
    "worker": (
        "stream.commands.worker:worker_command",
        "Keep one profile per customer from Kafka's events, and send alerts.",
    ),
    "replay": (
        "stream.commands.replay:replay_command",
        "Compute profiles and alerts from recorded events, as the worker does, without Kafka.",
    ),
    "digest": (
        "stream.commands.digest:digest_command",
        "The day in one page, as HTML and text for a mail.",
    ),
    "dashboard": (
        "stream.commands.dashboard:dashboard_command",
        "Show who needs us today, why, and what it is worth, on a page for people.",
    ),
    "explain": (
        "stream.commands.explain:explain_command",
        "Show one customer in plain words: profile, alerts, reasons.",
    ),
    "erase": (
        "stream.commands.erase:erase_command",
        "Erase a customer everywhere; a report of each store, and until when it holds what.",
    ),
    "export": (
        "stream.commands.export:export_command",
        "Give out all that is known of a customer, in words and as JSON.",
    ),
    "policy": (
        "stream.commands.policy:policy_group",
        "Check, print or compare policy files.",
    ),
    "topics": ("stream.commands.topics:topics_group", "Create and check the Kafka topics."),
    "backtest": (
        "stream.commands.backtest:backtest_command",
        "Would the alerts have been right? Test a policy on your history.",
    ),
    "report": (
        "stream.commands.report:report_command",
        "Customers won, grown and kept; campaign value against cost; why customers leave.",
    ),
    "uplift": (
        "stream.commands.uplift:uplift_group",
        "Does acting on alerts help? Compare customers who were left alone with the others.",
    ),
    "fit": (
        "stream.commands.fit:fit_group",
        "Fit the model of your customers to your history; check its formulas.",
    ),
    "settings": (
        "stream.commands.settings:settings_command",
        "Check the settings (environment variables) and show their values.",
    ),
    "schemas": (
        "stream.commands.schemas:schemas",
        "Export the event schemas, and check what a change would break.",
    ),
    "send": ("stream.commands.send:send_command", "Send events from files to their Kafka topics."),
    "dlq": (
        "stream.commands.dlq:dlq_group",
        "List dead letters (rejected records), show one, send them again.",
    ),
    "deliver": (
        "stream.commands.deliver_run:deliver_group",
        "Hand alerts over to other programs as signed webhooks.",
    ),
    "doctor": (
        "stream.commands.doctor:doctor_command",
        "Find what is wrong with brokers, topics, records and workers.",
    ),
}
"""Command -> ("module:attribute", its line in `stream --help`), in the order of that list."""


@contextmanager
def full_disk_in_one_line() -> Iterator[None]:
    """No space on the device, or no quota left, is a ClickException."""
    try:
        yield
    except OSError as failure:
        if failure.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f": {failure.filename}" if failure.filename else ""
        raise click.ClickException(f"{failure.strerror}{where}") from failure


class LazyGroup(SuggestingGroup):
    """A click group that imports the module of a command only when that command is used."""

    def __init__(self, *, commands_by_name: Mapping[str, tuple[str, str]], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.commands_by_name = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return it; None for an unknown name."""
        if cmd_name not in self.commands_by_name:
            return None
        module, _, attribute = self.commands_by_name[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), f"{module}:{attribute} is no click command"
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a full disk (of standard output or of temporary files) is one line.

        A refusal may quote a record or a file: it is made fit for a terminal here, and for its width.
        """
        try:
            with full_disk_in_one_line():
                return super().invoke(ctx)
        except click.ClickException as refusal:
            refusal.message = printable_lines(refusal.message)
            text = for_terminal(f"{ERROR}{refusal.format_message()}", err=True).removeprefix(ERROR)
            refusal.format_message = lambda: text  # type: ignore[method-assign]
            raise

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """As click does: here `--help` and `--version` of the program itself are printed."""
        with full_disk_in_one_line():
            return super().make_context(*arguments, **more)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the lines of the table; click's own method would import every command."""
        rows = [(name, summary) for name, (_, summary) in self.commands_by_name.items()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


class Program(LazyGroup):
    """The group `stream` itself: an exception that no command foresaw is one line, with exit code 70."""

    def main(self, *arguments: Any, **more: Any) -> Any:
        """Run a command. Click's own exceptions, interrupts and a closed pipe end as click ends them."""
        open_closed_streams()
        show_unknown_letters_as_codes()
        try:
            with ended_by_signals():
                return super().main(*arguments, **more)
        except Exception as failure:
            from stream.commands.unforeseen import report

            sys.exit(report(failure))


@click.group(
    cls=Program,
    commands_by_name=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="stream")
def main() -> None:
    """One profile per customer from the events on Kafka, and alerts that explain themselves."""
