"""Shell completion as docs/completion.md promises it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "completion.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_each_shell_of_the_page_gets_its_script(shell):
    assert f"_STREAM_COMPLETE={shell}_source stream" in PAGE

    result = CliRunner().invoke(main, prog_name="stream", env={"_STREAM_COMPLETE": f"{shell}_source"})

    assert result.exit_code == 0
    assert re.search(rf"_STREAM_COMPLETE={shell}_complete", result.output)


def test_commands_and_their_own_commands_are_completed():
    def completed(words: str) -> list[str]:
        env = {"_STREAM_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()))}
        return CliRunner().invoke(main, prog_name="stream", env=env).output.split("\n")

    assert {"explain", "policy", "replay"} <= set(completed("stream"))
    assert {"check", "default", "diff"} <= set(completed("stream policy"))
