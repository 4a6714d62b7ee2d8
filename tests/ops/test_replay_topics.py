"""A replay of the topics gives the same bytes as a replay of the file that was sent to them."""

import pytest

pytestmark = pytest.mark.kafka

LINE = (
    '{{"specversion":"1.0","id":"{id}","source":"/t","type":"purchase.completed","subject":"c{customer}",'
    '"time":"2024-{month:02d}-{day:02d}T10:00:00Z","data":{{"order_id":"{id}","total_minor":90000,'
    '"currency":"USD","products":[]}}}}'
)


TICK = (
    '{"specversion":"1.0","id":"t","source":"/t","type":"clock.ticked","subject":"-",'
    '"time":"2024-12-01T00:00:00Z"}'
)


@pytest.fixture
def events(tmp_path):
    lines = [
        LINE.format(id=f"o{month}-{day}-{customer}", customer=customer, month=month, day=day)
        for month in (1, 2, 3)
        for day in range(1, 28, 3)
        for customer in range(8)
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([*lines, TICK]) + "\n")
    return path


def test_topics_replay_to_the_bytes_of_the_file(shop, events, tmp_path):
    assert shop.run("send", str(events)).exit_code == 0
    for name, source in (("file", str(events)), ("topics", "--from-kafka")):
        result = shop.run(
            "replay", source, "--alerts", f"{tmp_path}/{name}", "--profiles", f"{tmp_path}/{name}.p"
        )
        assert result.exit_code == 0, result.output

    assert (tmp_path / "topics").read_bytes() == (tmp_path / "file").read_bytes() != b""
    assert (tmp_path / "topics.p").read_bytes() == (tmp_path / "file.p").read_bytes() != b""


def test_a_span_of_event_time_includes_both_ends(shop, events):
    assert shop.run("send", str(events)).exit_code == 0

    _, report = shop.run_json("replay", "--from-kafka", "--from", "2024-02-01", "--to", "2024-02-28")

    assert report["events"] == 9 * 8
