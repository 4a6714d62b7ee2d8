"""`stream try` on a small file of the current folder."""

from pathlib import Path

from click.testing import CliRunner, Result

from stream.commands.main import main

TINY = "Order,Date,Email,Total\n1,2026-01-02,a@example.com,10.00\n2,2026-01-03,b@example.com,12.00\n"
REVIEWS = "Date,Email,Rating\n2026-01-02,a@example.com,3\n2026-01-05,a@example.com,1\n"


def tried(text: str, *options: str, name: str = "orders.csv") -> Result:
    """Write the text to a file, and run the command on it."""
    Path(name).write_text(text)
    return CliRunner().invoke(main, ["try", name, *options])


def visible(folder: str) -> set[str]:
    """The names of the results in a folder."""
    return {path.name for path in Path(folder).iterdir() if not path.name.startswith(".")}
