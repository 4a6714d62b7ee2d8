"""The operators' commands read topics that hold batches of hundreds of megabytes, in little memory."""

import json
import os
import subprocess
import sys

import pytest

from stream.wire import partition_of
from tests.support.bombs import BOMBS, put_bomb
from tests.support.kafka_shop import PARTITIONS
from tests.support.poison import as_bytes, purchase

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

RUN = """
import sys
from stream.commands.main import main
try:
    main()
finally:
    status = open("/proc/self/status").read()
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024, file=sys.stderr)
"""
"""A command, and the most memory that it had, in MiB."""
COMMANDS = [
    ("doctor", "--json"),
    ("replay", "--from-kafka"),
    ("dlq", "list"),
    ("explain", "cust-1", "--from-kafka"),
]
PEAK_MIB_MAX = 400
HOME = partition_of(b"cust-1", PARTITIONS)


@pytest.fixture
def bombed(shop):
    """A shop with good events before and behind batches that hold too much, on every topic."""
    for part in range(2):
        client = shop.producer()
        for number in range(5):
            event = purchase(id=f"e{part}-{number}", subject="cust-1", data__order_id=f"o{part}-{number}")
            client.produce(shop.names.purchases, as_bytes(event), b"cust-1")
        assert client.flush(30) == 0
        if part == 0:
            for compression in BOMBS:
                put_bomb(shop.bootstrap, shop.names.purchases, compression, HOME)
            for role, compression in zip(("profiles", "alerts", "deadletter"), BOMBS, strict=True):
                put_bomb(shop.bootstrap, getattr(shop.names, role), compression, HOME)
    return shop


def ran(shop, *words: str) -> tuple[str, str, int]:
    """Output, error output and the peak of memory in MiB of `stream WORDS` as a process."""
    command, environment = [sys.executable, "-c", RUN, *words], {**os.environ, **shop.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout, done.stderr, int(done.stderr.splitlines()[-1])


def test_commands_read_past_such_batches_and_say_what_they_left_out(bombed) -> None:
    for words in COMMANDS:
        output, errors, peak = ran(bombed, *words)

        assert (words, peak) < (words, PEAK_MIB_MAX)
        assert "Traceback" not in errors
        assert "holds more than 67,108,864 bytes" in errors, words
        if words[0] == "doctor":
            found = [each["found"] for each in json.loads(output.splitlines()[-1])["findings"]]
            assert any("3 batch_too_large" in each for each in found)
        if words[0] == "replay":
            assert "batch_too_large" in output + errors
