"""The exit codes of a worker are the same in the program, in its help and in the runbook."""

from __future__ import annotations

import re

from click.testing import CliRunner

from stream.commands.main import main
from stream.config.environment import SettingsError
from stream.engine import Exit
from stream.worker.kafka.start_check import TopicsError
from tests.support.pages import text_of

STOPPED, WRONG_SETTINGS = 0, SettingsError.exit_code
CODES = {STOPPED, WRONG_SETTINGS, *Exit}
ROWS = re.findall(r"^\| (\d+) \| (.*?) \|", text_of("docs/runbook.md"), flags=re.MULTILINE)
TOPIC_FAULTS = ("topic is missing", "differ in their number of partitions")


def test_the_runbook_has_a_row_for_each_exit_code_and_for_no_other():
    assert {int(code) for code, _ in ROWS} == CODES


def test_the_help_of_the_worker_names_each_exit_code_and_no_other():
    text = " ".join(CliRunner().invoke(main, ["worker", "--help"]).output.split())
    listed = text.partition("Exit codes: ")[2].partition(" Example:")[0]

    assert {int(code) for code in re.findall(r"\b\d+\b", listed)} == CODES
    assert "78 topics are missing or differ" in listed


def test_topics_that_do_not_fit_have_one_exit_code_wherever_it_is_found():
    assert TopicsError([]).exit_code == Exit.CONFIGURATION
    for fault in TOPIC_FAULTS:
        assert {int(code) for code, what in ROWS if fault in what} == {Exit.CONFIGURATION}
