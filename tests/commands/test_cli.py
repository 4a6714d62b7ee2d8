"""The command line: every listed command can be loaded, and is loaded only when it is used."""

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from stream.commands.main import COMMANDS, LazyGroup, main
from stream.commands.output_files import FileCommand, OutputFile, OutputFolder
from tests.support.command_tree import all_commands

HEAVY = ("faust", "aiokafka", "confluent_kafka", "pandas", "scipy", "numpy", "rich")


def test_help_lists_every_command_with_one_line():
    shown = CliRunner().invoke(main, ["--help"])

    assert shown.exit_code == 0
    for name, (_, summary) in COMMANDS.items():
        assert f"  {name} " in shown.output, name
        assert summary.split()[0] in shown.output, name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_shows_an_example(name):
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(module), attribute)

    shown = CliRunner().invoke(main, [name, "--help"])

    assert isinstance(command, click.Command)
    assert shown.exit_code == 0
    assert f"stream {name}" in shown.output.split("\n", 1)[1], "no example in the help text"


def test_an_unknown_command_is_bad_usage():
    answer = CliRunner().invoke(main, ["wroker"])

    assert answer.exit_code == 2
    assert "wroker" in answer.output


def test_help_imports_no_heavy_package():
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom stream.commands.main import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"


def test_a_module_is_imported_only_when_its_command_runs():
    group = LazyGroup(name="g", commands_by_name={"gone": ("stream.no_such_module:main", "Not there.")})

    assert CliRunner().invoke(group, ["--help"]).exit_code == 0
    with pytest.raises(ModuleNotFoundError):
        CliRunner().invoke(group, ["gone"], catch_exceptions=False)


OWN_CHECKS = {"try", "dashboard", "erase"}
"""They write where they wrote before, and refuse files that are not theirs (tests of their own); `erase` says
of a folder that is not there that nothing was found in it."""


def test_every_command_with_an_output_checks_it():
    """Whoever adds an option that names a file must say that it is an input (it exists) or an output."""
    for name, (where, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        for path, command in all_commands(getattr(importlib.import_module(module), attribute), name):
            options = [each for each in command.params if isinstance(each.type, click.Path)]
            outputs = [each for each in options if isinstance(each.type, OutputFile)]
            folders = [each for each in options if isinstance(each.type, OutputFolder)]
            unknown = [
                each.name for each in options if not each.type.exists and each not in [*outputs, *folders]
            ]
            assert not outputs or isinstance(command, FileCommand), path
            assert unknown in ([], ["root"], ["cases"]) or path in OWN_CHECKS, f"{path}: {unknown}"


@pytest.mark.parametrize("option", ["--store", "--queue"])
def test_an_export_does_not_write_over_the_store_that_it_reads(tmp_path, option):
    store = tmp_path / "store.sqlite"
    store.write_bytes(b"rows")

    result = CliRunner().invoke(main, ["export", "c-1", option, str(store), "--out", str(store)])

    assert result.exit_code == 2
    assert "are the same file; nothing was written" in result.output
    assert store.read_bytes() == b"rows"
