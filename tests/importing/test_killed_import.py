"""`stream import --to-kafka` on a real broker, stopped in the middle: no event is lost or counts twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.verifier import read_all
from tests.support.importing import HEADER, INVOICES, Imported
from tests.support.kafka_broker import create_topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
STREAM = Path(sys.executable).with_name("stream")
KINDS = ("purchases", "engagement", "feedback", "control")
LINES = 60_000


@pytest.fixture
def shop(tmp_path):
    lines = (
        f"{n},p{n % 50},{1 if n % 9 else -1},2021-{n % 12 + 1:02}-0{n % 9 + 1} 10:00,{n % 97}.50,c{n % 999}\n"
        for n in range(LINES)
    )
    (tmp_path / "shop.csv").write_text(HEADER + "".join(lines))
    (tmp_path / "mine.toml").write_text(INVOICES)
    return tmp_path


@pytest.fixture(autouse=True)
def sigint_is_not_ignored():
    """Background jobs of a shell ignore SIGINT, and their child processes inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def importing(shop, broker, prefix):
    environment = {**os.environ, "STREAM_BROKERS": broker.bootstrap, "STREAM_TOPIC_PREFIX": f"{prefix}."}
    command = [str(STREAM), "import", "shop.csv", "--mapping", "mine.toml", "--to-kafka", "--json"]
    return subprocess.Popen(
        [*command, "--journal", "journal.json"],
        cwd=shop,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sent_so_far(shop):
    try:
        return int(json.loads((shop / "journal.json").read_text())["sent"])
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_import_continues_and_loses_nothing(shop, broker, prefix, how):
    create_topics(broker.bootstrap, [f"{prefix}.customers.{kind}.v1" for kind in KINDS])
    wanted = {e["id"]: e for e in Imported(INVOICES, shop / "shop.csv").events}
    stops = 0
    while True:
        process = importing(shop, broker, prefix)
        before = sent_so_far(shop)
        while process.poll() is None and (stops >= 3 or sent_so_far(shop) <= before):
            time.sleep(0.001)
        if process.poll() is not None:
            break
        process.send_signal(how)
        process.wait(60)
        if process.returncode == 0:  # it ended before the signal arrived
            break
        stops += 1
    output, errors = process.communicate()
    assert process.returncode == 0, errors

    found = [
        json.loads(record.value())
        for record in read_all(broker.bootstrap, f"{prefix}.customers.purchases.v1")
    ]
    assert stops > 0
    assert json.loads(output)["sent_before"] > 0
    assert {e["id"]: e for e in found} == wanted
    if how is signal.SIGINT:  # it waits for what is on its way, and notes it
        assert len(found) <= len(wanted) + stops
