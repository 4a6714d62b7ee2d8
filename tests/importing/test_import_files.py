import json

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from stream.commands.main import main
from stream.wire import partition_of
from tests.support.importing import HEADER, INVOICES

LINES = HEADER + "1,mug,1,2020-01-01,2.00,ann\nC2,mug,-1,2020-01-02,2.00,ann\n3,pot,1,2020-01-03,?,ann\n"
TOPICS = ("purchases", "engagement", "feedback", "control")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.csv").write_text(LINES)
    (tmp_path / "mine.toml").write_text(INVOICES)
    return tmp_path


def run(*arguments, **options):
    return CliRunner().invoke(main, ["import", *arguments], **options)


def test_a_file_becomes_events_rejects_and_a_summary(shop):
    answer = run(
        "shop.csv", "--mapping", "mine.toml", "--out", "events.jsonl", "--json", "--rejects-max", "1"
    )
    summary = json.loads(answer.stdout)

    assert answer.exit_code == 0, answer.output
    assert summary["lines"] == {
        "in": 3,
        "orders": 1,
        "refunds": 1,
        "other_events": 0,
        "ignored": 0,
        "repeated": 0,
        "rejected": 1,
    }
    assert (summary["orders_minor"], summary["refunds_minor"]) == ({"GBP": 200}, {"GBP": 200})
    assert len((shop / "events.jsonl").read_text().splitlines()) == 2
    assert json.loads((shop / "events.rejects.jsonl").read_text()) == {
        "file": "shop.csv",
        "line": 4,
        "reason": "price_unreadable",
        "detail": "?",
        "values": {
            **{"order": "3", "product": "pot", "quantity": "1", "time": "2020-01-03"},
            **{"unit_price": "?", "customer": "ann"},
        },
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.csv", "--mapping", "mine.toml", "--out", "x"], "there is no file nothing.csv"),
        (["shop.csv", "--out", "x"], "--mapping is needed"),
        (["shop.csv", "--mapping", "mine.toml"], "either --out FILE or --to-kafka"),
        (["shop.csv", "--mapping", "mine.toml", "--out", "no/such/folder/x"], "no/such/folder"),
        (["mine.toml", "--mapping", "mine.toml", "--out", "x"], "unknown format '.toml'"),
    ],
)
def test_wrong_usage_is_one_readable_message(shop, arguments, message):
    answer = run(*arguments)

    assert answer.exit_code == 2
    assert message in answer.output
    assert not (shop / "x").exists()


def test_a_file_without_any_usable_line_is_a_failure(shop):
    (shop / "bad.csv").write_text(HEADER + "1,mug,1,?,2.00,ann\n")

    assert run("bad.csv", "--mapping", "mine.toml", "--out", "x.jsonl").exit_code == 1


def test_files_of_a_glob_go_to_standard_output(shop):
    answer = run("*.csv", "--mapping", "mine.toml", "--out", "-")

    assert [json.loads(line)["type"] for line in answer.stdout.splitlines()] == [
        "purchase.completed",
        "purchase.refunded",
    ]


def test_the_suggested_mapping_can_be_used_as_it_is(shop):
    answer = run("--suggest", "shop.csv")
    (shop / "suggested.toml").write_text(answer.stdout)
    used = run("shop.csv", "--mapping", "suggested.toml", "--out", "e.jsonl", "--json")

    assert answer.exit_code == 0, answer.output
    assert 'order_prefix = "C"' in answer.stdout
    assert "# Of the first 3 lines, 1 is rejected." in answer.stdout
    assert json.loads(used.stdout)["lines"]["orders"] == 1


def test_a_known_layout_gets_its_ready_mapping(shop):
    (shop / "r.csv").write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    )

    assert json.loads(run("--suggest", "r.csv", "--json").stdout)["ready"] == "online-retail"


def test_a_file_without_customers_cannot_be_mapped(shop):
    (shop / "anonymous.csv").write_text("price,when\n1,2020-01-01\n")
    answer = run("--suggest", "anonymous.csv")

    assert answer.exit_code == 2
    assert "no column looks like the customer" in answer.output


def read_all(bootstrap, topic, expected):
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    consumer.assign([TopicPartition(topic, n, 0) for n in range(4)])
    found: list[Message] = []
    while len(found) < expected and (message := consumer.poll(5)) is not None:
        found.append(message)
    extra = consumer.poll(0.5)
    consumer.close()
    return found + ([extra] if extra else [])


def test_events_go_to_kafka_once_however_often_the_command_runs(shop, mock_broker):
    producer = Producer({"bootstrap.servers": mock_broker.bootstrap})
    for topic in TOPICS:  # the mock broker creates a topic when a client asks for it
        producer.list_topics(f"customers.{topic}.v1", timeout=10)
    arguments = ["shop.csv", "--mapping", "mine.toml", "--to-kafka", "--json", "--rejects-max", "1"]
    environment = {"STREAM_BROKERS": mock_broker.bootstrap}
    first, second = (json.loads(run(*arguments, env=environment).stdout) for _ in range(2))
    messages = read_all(mock_broker.bootstrap, "customers.purchases.v1", 2)

    assert (first["sent"], second["sent"], second["sent_before"]) == (2, 0, 2)
    assert [m.key() for m in messages] == [b"ann", b"ann"]
    assert {m.partition() for m in messages} == {partition_of(b"ann", 4)}
    assert [json.loads(m.value())["type"] for m in messages] == ["purchase.completed", "purchase.refunded"]
    assert messages[0].timestamp()[1] == 1577836800000


def test_a_stopped_import_to_kafka_continues_after_the_last_acknowledged_event(shop, mock_broker):
    producer = Producer({"bootstrap.servers": mock_broker.bootstrap})
    for topic in TOPICS:
        producer.list_topics(f"customers.{topic}.v1", timeout=10)
    arguments = ["shop.csv", "--mapping", "mine.toml", "--to-kafka", "--json", "--journal", "j.json"]
    arguments += ["--rejects-max", "1"]
    environment = {"STREAM_BROKERS": mock_broker.bootstrap}
    run(*arguments, env=environment)
    journal = json.loads((shop / "j.json").read_text())
    (shop / "j.json").write_text(json.dumps({**journal, "sent": 1}))

    again = json.loads(run(*arguments, env=environment).stdout)

    assert (again["sent"], again["sent_before"]) == (1, 1)
