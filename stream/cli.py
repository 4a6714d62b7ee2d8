"""`stream ...`: parsing only; each command imports its shell when it runs."""

import click

from stream import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stream")
def main() -> None:
    """Customer-centric stream processing: profiles in, explained alerts out."""
