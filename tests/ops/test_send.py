import gzip
import json
import os

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import Event
from stream.wire import decode, partition_of
from tests.support.kafka_shop import PARTITIONS
from tests.support.poison import GOOD, as_bytes, purchase


def events(count: int) -> bytes:
    return b"\n".join(
        as_bytes(purchase(id=f"e{i}", subject=f"cust-{i}", time="2011-12-09T12:50:00Z")) for i in range(count)
    )


def test_a_bad_line_is_reported_with_its_place_and_reason(tmp_path):
    file = tmp_path / "events.jsonl"
    wrong = [as_bytes(purchase(data__total_minor=1.5)), as_bytes(purchase(type="x.y"))]
    file.write_bytes(GOOD + b"\n\n" + b"\n".join(wrong) + b"\n")

    result = CliRunner().invoke(main, ["send", "--dry-run", str(file)])

    assert result.exit_code == 1
    assert f"{file}:3: schema: Expected `int`, got `float` - at `$.data.total_minor`" in result.output
    assert f"{file}:4: unknown type 'x.y'" in result.output
    assert "1 good lines, 2 bad; nothing was sent" in result.output


@pytest.mark.parametrize(("names", "is_named"), [(("old", "new"), False), (("new", "old"), True)])
def test_files_that_are_not_in_order_of_time_are_said(tmp_path, names, is_named):
    for name, month in (("old", 1), ("new", 6)):
        days = (f"2011-{month:02}-{day:02}T12:50:00Z" for day in (1, 9, 4))
        lines = [as_bytes(purchase(id=f"{name}-{at}", time=at)) for at in days]
        (tmp_path / name).with_suffix(".jsonl").write_bytes(b"\n".join(lines))

    words = ["send", "--dry-run", *(str(tmp_path / f"{name}.jsonl") for name in names)]
    result = CliRunner().invoke(main, words)

    assert result.exit_code == 0
    assert ("3 events are more than eight days older" in result.stderr) is is_named


def test_events_of_another_source_may_be_older(tmp_path):
    file = tmp_path / "events.jsonl"
    newer = purchase(id="1", time="2011-06-01T12:50:00Z")
    older = purchase(id="2", time="2011-01-01T12:50:00Z", source="/other")
    file.write_bytes(as_bytes(newer) + b"\n" + as_bytes(older))

    assert "caution" not in CliRunner().invoke(main, ["send", "--dry-run", str(file)]).stderr


def test_the_embedded_broker_is_refused_with_a_remedy(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_bytes(GOOD)

    result = CliRunner().invoke(main, ["send", str(file)], env={"STREAM_BROKERS": "embedded"})

    assert result.exit_code == 2
    assert "name a real one, host:port" in result.output


def test_a_pipe_is_refused_because_it_can_be_read_only_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    result = CliRunner().invoke(main, ["send", str(tmp_path / "pipe")])

    assert result.exit_code == 2
    assert "can be read only once" in result.output


@pytest.mark.kafka
def test_events_arrive_where_and_as_the_worker_expects_them(shop, tmp_path):
    file = tmp_path / "events.jsonl.gz"
    erasure = as_bytes(purchase(type="customer.erased", subject="cust-9", data={}))
    tick = as_bytes(purchase(type="clock.ticked", data={}))
    file.write_bytes(gzip.compress(events(50) + b"\n" + erasure + b"\n" + tick))

    code, report = shop.run_json("send", str(file))

    sent = {shop.names.purchases: 50, shop.names.control: 1 + PARTITIONS}
    assert (code, report["acknowledged"], report["refused"]) == (0, sent, {})
    arrived = shop.all_of("purchases")
    for message in arrived:
        event = decode(
            "purchases", message.key(), message.value(), message.headers(),
            partition=message.partition(), partition_count=PARTITIONS,
        )  # fmt: skip
        assert isinstance(event, Event)
        assert event.time_ms == message.timestamp()[1]
    assert sorted(message.value() for message in arrived) == sorted(events(50).splitlines())
    assert sorted(m.partition() for m in shop.all_of("control") if m.value() == tick) == list(
        range(PARTITIONS)
    )


@pytest.mark.kafka
def test_nothing_is_sent_when_a_line_is_bad_unless_asked(shop, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_bytes(events(3) + b"\nnot an event\n")

    assert shop.run_json("send", str(file))[1]["acknowledged"] == {}
    assert shop.all_of("purchases") == []
    code, report = shop.run_json("send", "--skip-bad", str(file))
    assert (code, report["good"], report["bad"]) == (1, 3, 1)
    assert {m.partition() for m in shop.all_of("purchases")} == {
        partition_of(json.loads(line)["subject"].encode(), PARTITIONS) for line in events(3).splitlines()
    }
