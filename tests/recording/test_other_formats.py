"""A file that is no JSON lines is told once, with the remedy, by every command that reads events."""

import gzip
import io
import zipfile

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.recording.other_formats import refusal

TABLE = b"Order,Date,Email,Total\n" + b"1,2026-01-02,a@example.com,10.00\n" * 500
OTHERS = {
    "orders.csv": (TABLE, "a table (CSV)"),
    "orders.tsv": (TABLE.replace(b",", b"\t"), "a table (CSV)"),
    "semicolon.csv": (b"\xef\xbb\xbf" + TABLE.replace(b",", b";"), "a table (CSV)"),
    "packed.csv.gz": (gzip.compress(TABLE), "a table (CSV)"),
    "array.json": (b'[{"id": 1}, {"id": 2}]', "a JSON array"),
    "pretty.json": (b'{\n  "orders": [\n    {"id": 1}\n  ]\n}\n', "JSON over several lines"),
    "orders.parquet": (b"PAR1\x15\x04", "a Parquet file"),
    "orders.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook (XLS)"),
    "orders.csv.bz2": (b"BZh91AY&SY", "compressed by bzip2"),
    "orders.csv.xz": (b"\xfd7zXZ\x00\x00", "compressed by xz"),
    "utf16.csv": (TABLE.decode().encode("utf-16"), "text in UTF-16"),
}
COMMANDS = {
    "replay": ["replay"],
    "fit": ["fit", "--out", "-"],
    "report": ["report", "--json"],
    "backtest": ["backtest", "--split", "2026-01-02", "--horizon", "4w"],
    "explain": ["explain", "a", "--events"],
    "policy diff": ["policy", "diff", "default", "default"],
    "send": ["send", "--dry-run"],
}


def workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize("name", [*OTHERS, "orders.xlsx"])
def test_what_a_file_is_instead_of_events_is_said_once_with_the_remedy(tmp_path, name):
    content, kind = OTHERS.get(name, (workbook(), "a workbook (XLSX) or another zip archive"))
    path = tmp_path / name
    path.write_bytes(content)

    answer = CliRunner().invoke(main, ["replay", str(path)])

    assert answer.exit_code == 2
    assert f"{path} is {kind}, not events (JSON lines): " in answer.output
    assert answer.output.count("\n") == 1
    assert "invalid_json" not in answer.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_reads_events_names_the_import_for_a_table(tmp_path, command):
    path = tmp_path / "orders.csv"
    path.write_bytes(TABLE)

    answer = CliRunner().invoke(main, [*COMMANDS[command], str(path)])

    assert answer.exit_code == 2, answer.output
    assert answer.output.count("is a table (CSV)") == 1
    assert f"stream import --suggest {path}" in answer.output


@pytest.mark.parametrize(
    "begin",
    [b"", b"\n\n", b'{"id": "1"}\n', b"not json\n", b'a, broken line\n{"id": "1"}\n', b"{\n{}\n", b"null\n"],
)
def test_what_may_be_events_with_a_broken_line_is_read(tmp_path, begin):
    assert refusal(tmp_path / "events.jsonl", begin) is None
