"""A misspelt command or option is answered with the one that was meant."""

import re

import pytest
from click.testing import CliRunner

from stream.commands.main import main

MISSPELT = {
    "replya": "replay",
    "wroker": "worker",
    "reprot": "report",
    "policy chek": "check",
    "topics aply": "apply",
    "dlq lst": "list",
    "schemas exprot": "export",
    "fit pubish": "publish",
    "import genrated": "generated",
    "import cdnow-smaple": "cdnow-sample",
    "replay --polcy x": "--policy",
    "report --untill x": "--until",
}


@pytest.mark.parametrize("words", MISSPELT)
def test_a_misspelt_word_is_answered_with_the_likely_one(words):
    answer = CliRunner().invoke(main, words.split())

    assert answer.exit_code == 2
    assert re.search(rf"(Did you mean|Possible options:) [^\n]*{MISSPELT[words]}\b", answer.output)


def test_a_word_like_no_other_is_only_refused():
    answer = CliRunner().invoke(main, ["xyzzy"])

    assert answer.exit_code == 2
    assert "Did you mean" not in answer.output


def test_a_pattern_of_files_is_no_misspelt_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "generate1").write_text("a,b\n")

    answer = CliRunner().invoke(main, ["import", "generate?"])

    assert "Did you mean" not in answer.output
