"""Log lines of a process: JSON with fields, and no customer ids."""

import json
import subprocess
import sys

import pytest

from stream.worker.monitoring.logs import customer_hash

PROGRAM = """
import logging, structlog
from stream.config.settings import Settings
from stream.worker.monitoring.logs import configure_logs

configure_logs(Settings(log_format="json", log_key="k"))
log = structlog.get_logger("stream.worker")
log.info("assigned", partitions=[0, 1], offsets={"alerts": {0: 203}})
log.warning("refused", customer="anna@x.org", customer_id=b"anna@x.org", subject="anna", key="anna")
logging.getLogger("faust.topics").warning(
    "_on_published error for message topic t error X message <FutureMessage: PendingMessage(key=b'anna')>"
)
try:
    raise ValueError("broken")
except ValueError:
    log.exception("stopping")
log.debug("each event")
logging.getLogger("stream.engine").warning("evil \\x1b]0;owned\\x07 \\u202e text")
logging.getLogger("aiokafka.conn").info("chatter")
logging.getLogger("faust.worker").info("chatter")
logging.getLogger("mode.timers").info("chatter")
"""

Line = dict[str, object]


@pytest.fixture(scope="module")
def lines() -> dict[str, Line]:
    """Each line by the beginning of its event."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    read = [json.loads(line) for line in ran.stderr.splitlines()]
    return {str(line["event"]).split()[0]: line for line in read}


def test_a_line_is_one_json_object_with_its_fields(lines):
    line = lines["assigned"]

    assert (line["partitions"], line["level"]) == ([0, 1], "info")
    assert line["offsets"] == {"alerts": {"0": 203}}, "a field may be a table with numbers as keys"
    assert str(line["timestamp"]).endswith("Z")


def test_a_customer_is_logged_as_a_hash_that_is_the_same_each_time(lines):
    line = lines["refused"]

    assert line["customer"] == line["customer_id"] == customer_hash(b"k")("anna@x.org")
    assert line["subject"] == line["key"] == customer_hash(b"k")("anna")
    assert "anna" not in json.dumps(line)


def test_another_key_gives_another_hash():
    assert customer_hash(b"k")("c1") != customer_hash(b"other")("c1")


def test_records_that_libraries_quote_are_cut_out(lines):
    line = lines["_on_published"]

    assert line["logger"] == "faust.topics"
    assert line["event"] == "_on_published error for message topic t error X message (record left out)"


def test_an_exception_is_a_field_of_its_line(lines):
    assert "ValueError: broken" in str(lines["stopping"]["exception"])


def test_lines_below_the_level_are_not_logged(lines):
    assert set(lines) == {"assigned", "refused", "_on_published", "stopping", "evil"}


def test_what_a_terminal_would_obey_is_logged_as_its_code(lines):
    assert lines["evil"]["event"] == "evil \\u001b]0;owned\\u0007 \\u202e text"
