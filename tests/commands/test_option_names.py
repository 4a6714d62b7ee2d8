"""An option has one meaning, whatever the command."""

import importlib
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stream.commands.main import COMMANDS, main
from tests.support.command_tree import all_commands

FILES = {"--policy": "Policy file", "--model": "Model record", "--until": "Last day"}
"""Option -> how its help begins, in every command that has it."""


def visible_options():
    for name, (where, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        for path, command in all_commands(getattr(importlib.import_module(module), attribute), name):
            for each in command.params:
                if isinstance(each, click.Option) and not each.hidden:
                    yield path, each


@pytest.mark.parametrize("option", FILES)
def test_an_option_of_several_commands_means_the_same_in_each(option):
    helps = {path: each.help or "" for path, each in visible_options() if option in each.opts}

    assert len(helps) >= 2
    assert [path for path, text in helps.items() if not text.startswith(FILES[option])] == []


def test_the_clock_of_a_replay_goes_on_by_its_own_name_and_by_the_old_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    made = ["import", "generated", "--customers", "20", "--days", "200", "--out", "e.jsonl"]
    assert runner.invoke(main, made).exit_code == 0

    for words in ([], ["--clock-to", "2030-01-01"], ["--until", "2030-01-01"]):
        answer = runner.invoke(main, ["replay", "e.jsonl", *words, "--profiles", f"p{len(words)}{words[:1]}"])
        assert answer.exit_code == 0, answer.output
    usual, late, old = (
        [json.loads(line)["judgement"]["judged_ms"] for line in Path(name).read_text().splitlines()]
        for name in ("p0[]", "p2['--clock-to']", "p2['--until']")
    )

    assert late == old != usual
    assert "--until" not in runner.invoke(main, ["replay", "--help"]).output


def test_a_day_that_ends_a_span_counts_to_its_end():
    from stream.commands.replay import UP_TO

    assert UP_TO.convert("2026-03-31", None, None) == 1_775_001_599_999
    assert UP_TO.convert("2026-03-31T12:00:00Z", None, None) == 1_774_958_400_000
