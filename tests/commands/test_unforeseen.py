"""An exception that no command foresaw is one line and exit code 70; what click foresees keeps its code."""

import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from stream.commands import settings
from stream.commands.main import main
from stream.commands.unforeseen import fault_line


def run_failing(monkeypatch: pytest.MonkeyPatch, failure: BaseException, **environ: str) -> Result:
    """`stream settings`, whose work raises."""

    def fails(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(settings, "load_settings", fails)
    return CliRunner().invoke(main, ["settings"], env=environ)


def test_it_is_one_line_with_type_message_and_place(monkeypatch):
    shown = run_failing(monkeypatch, KeyError("no such tier"))

    assert shown.exit_code == 70
    (line,) = shown.output.splitlines()
    assert line.startswith(
        "stream: a fault in this program: KeyError: 'no such tier' (stream/commands/settings.py:"
    )
    assert line.endswith("; STREAM_DEBUG=1 shows the traceback")


def test_the_rest_is_shown_on_request(monkeypatch):
    shown = run_failing(monkeypatch, KeyError("no such tier"), STREAM_DEBUG="1")

    assert shown.exit_code == 70
    assert "Traceback (most recent call last)" in shown.output


@pytest.mark.parametrize("debug", ["", "1"])
def test_no_secret_is_in_it(monkeypatch, tmp_path, debug):
    (tmp_path / "key").write_text("s3cr3t-key\n")
    secrets = {"STREAM_SASL_PASSWORD": "hush!'", "STREAM_LOG_KEY_FILE": str(tmp_path / "key")}

    failure = ValueError("cannot log in with", "hush!'", "s3cr3t-key")
    shown = run_failing(monkeypatch, failure, STREAM_DEBUG=debug, **secrets)

    assert shown.exit_code == 70
    assert "hush" not in shown.output
    assert "s3cr3t" not in shown.output


def test_what_a_terminal_would_obey_is_shown_as_code():
    assert "a\\u000ab \\u001b[31m \\u202e" in fault_line(ValueError("a\nb \x1b[31m \u202e"))


def test_a_long_message_is_cut():
    assert len(fault_line(ValueError("x" * 10_000))) < 500


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (click.ClickException("no"), 1),
        (click.UsageError("no"), 2),
        (click.Abort(), 1),
        (KeyboardInterrupt(), 1),
        (EOFError(), 1),
        (SystemExit(3), 3),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
    ],
)
def test_what_is_foreseen_keeps_its_code(monkeypatch, failure, code):
    shown = run_failing(monkeypatch, failure)

    assert shown.exit_code == code
    assert "a fault in this program" not in shown.output


def test_a_reader_that_has_enough_sees_no_traceback(tmp_path: Path):
    """`| head -1`: the pipe is closed while the command still writes."""
    command = f"{sys.executable} -m stream settings --markdown | head -1"
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)

    assert shown.stdout == "# Settings\n"
    assert shown.stderr == ""
