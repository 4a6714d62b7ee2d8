"""Files of a data set are inputs of its import, wherever their folder is named; no output is one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.commands.main import main
from stream.importing.datasets import completejourney


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_folder_of_the_environment_is_an_input_like_that_of_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STREAM_CDNOW", str(tmp_path))
    source = tmp_path / "CDNOW_master.txt"
    source.write_text(" 00001  19970101  1  11.77\n")

    result = run("import", "cdnow", "--out", source)

    assert result.exit_code == 2
    assert "are the same file; nothing was written" in result.output
    assert source.read_text() == " 00001  19970101  1  11.77\n"


def test_the_files_of_an_installed_data_set_are_inputs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = tmp_path / "transactions.parquet"
    table.write_bytes(b"a table")
    monkeypatch.setattr(completejourney, "_package_folder", lambda: tmp_path)

    result = run("import", "completejourney", "--out", table)

    assert result.exit_code == 2
    assert "are the same file; nothing was written" in result.output
    assert table.read_bytes() == b"a table"
