"""A skip for want of something is a failure where STREAM_TEST_REQUIRE names it, as in .ci/run."""

import re
from pathlib import Path

import pytest

from tests.support.programs import program
from tests.support.required import give_up

TESTS = Path(__file__).parent
NO_BROKER_SKIPS = re.compile(r"except NoBrokerError[^\n]*\n\s+pytest\.skip")


def test_what_is_missing_skips_with_the_reason_and_fails_where_it_is_required(monkeypatch):
    monkeypatch.setenv("STREAM_TEST_REQUIRE", "kafka,promtool")
    with pytest.raises(pytest.skip.Exception, match="no Go here"):
        give_up("go", "no Go here")

    monkeypatch.setenv("STREAM_TEST_REQUIRE", "kafka,go")
    with pytest.raises(pytest.fail.Exception, match="STREAM_TEST_REQUIRE=go, but: no Go here"):
        give_up("go", "no Go here")


def test_a_tool_that_is_not_installed_fails_where_it_is_required(monkeypatch):
    monkeypatch.setenv("STREAM_TEST_REQUIRE", "go")

    with pytest.raises(pytest.fail.Exception, match=r"no-such-tool is not installed \(make tools\)"):
        program("no-such-tool", "go")


def test_no_test_skips_by_itself_for_want_of_a_broker():
    found = [path for path in TESTS.rglob("*.py") if NO_BROKER_SKIPS.search(path.read_text())]

    assert found == []
