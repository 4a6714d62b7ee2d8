"""`stream import --to-kafka --since-last`: a nightly export sends what is new, and says what it knows."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from stream.commands.main import main
from stream.importing.files.output import kafka
from stream.importing.files.output.outgoing import OutgoingEvent
from stream.importing.files.output.sent_before import SentBefore, SentBeforeError
from tests.faults.verifier import read_all
from tests.support.importing import HEADER, INVOICES
from tests.support.kafka_broker import MockBroker

KINDS = ("purchases", "engagement", "feedback", "control")
FIRST = "1,mug,2,2020-01-01,2.00,ann\n2,pan,1,2020-01-03,7.00,bob\n"
SECOND = "3,cup,1,2020-01-04,1.00,bob\n"
BACK = "1,mug,-1,2020-01-05,2.00,ann\n"


class Nightly:
    """A folder with a mapping, and a shop's topics on a mock cluster."""

    def __init__(self, folder: Path, broker: MockBroker, prefix: str) -> None:
        self.folder, self.broker, self.prefix = folder, broker, prefix
        self.state = folder / "sent.db"
        (folder / "mine.toml").write_text(INVOICES)
        client = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        for kind in KINDS:
            client.list_topics(f"{prefix}.customers.{kind}.v1", timeout=10)

    def words(self, text: str, name: str = "export.csv", *, state: bool = True) -> list[str]:
        (self.folder / name).write_text(HEADER + text)
        return [
            *("import", str(self.folder / name), "--mapping", str(self.folder / "mine.toml")),
            *("--to-kafka", "--since-last", "--json", "--rejects", str(self.folder / "rejects.jsonl")),
            *(("--state", str(self.state)) if state else ()),
        ]

    def run(self, words: list[str]):
        target = {"STREAM_BROKERS": self.broker.bootstrap, "STREAM_TOPIC_PREFIX": f"{self.prefix}."}
        return CliRunner().invoke(main, words, env=target)

    def imported(self, text: str, *options: str, name: str = "export.csv", state: bool = True):
        return self.run([*self.words(text, name, state=state), *options])

    def summary(self, text: str, *options: str, **more):
        answer = self.imported(text, *options, **more)
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout.splitlines()[-1])

    def sent(self) -> list[str]:
        """Ids on the topic of purchases, in order."""
        records = read_all(self.broker.bootstrap, f"{self.prefix}.customers.purchases.v1")
        return sorted(json.loads(record.value())["id"] for record in records)


@pytest.fixture
def nightly(tmp_path, mock_broker, prefix):
    return Nightly(tmp_path, mock_broker, prefix)


def test_the_second_night_sends_what_is_new(nightly):
    first = nightly.summary(FIRST, name="monday.csv")
    second = nightly.summary(FIRST + SECOND + BACK, name="tuesday.csv")
    third = nightly.summary(SECOND, name="wednesday.csv")

    assert (first["sent"], first["sent_before"], first["state_is_new"]) == (2, 0, True)
    assert (second["sent"], second["sent_before"], second["state_is_new"]) == (2, 2, False)
    assert (third["sent"], third["sent_before"]) == (0, 1)
    assert len(nightly.sent()) == len(set(nightly.sent())) == 4


def test_an_event_whose_content_changed_is_sent_again_and_said(nightly):
    nightly.summary(FIRST)
    answer = nightly.imported(FIRST.replace("7.00", "8.00"))
    again = nightly.summary(FIRST.replace("7.00", "8.00"))

    assert json.loads(answer.stdout)["changed"] == json.loads(answer.stdout)["sent"] == 1
    assert "1 events were sent before under the same id with another content" in answer.stderr
    assert (again["changed"], again["sent"], again["sent_before"]) == (0, 0, 2)


def test_a_return_whose_order_is_not_in_the_export_keeps_its_id(nightly):
    nightly.summary(FIRST + BACK)
    later = nightly.summary(SECOND + BACK)

    assert (later["sent"], later["changed"]) == (2, 1)
    assert len(nightly.sent()) == 5
    assert len(set(nightly.sent())) == 4


def test_a_new_state_says_that_it_is_new(nightly):
    words = [word for word in nightly.words(FIRST) if word != "--json"]
    first, second = nightly.run(words), nightly.run(words)

    assert f"{nightly.state} (new: nothing was sent before)" in first.output
    assert "(new" not in second.output
    assert "2" in [line.split()[-1] for line in second.output.splitlines() if "sent before" in line]


def test_the_state_is_beside_the_journal_and_one_for_each_source(nightly, monkeypatch):
    monkeypatch.chdir(nightly.folder)
    nightly.summary(FIRST, state=False)
    nightly.summary(FIRST, state=False)
    (nightly.folder / "mine.toml").write_text(INVOICES.replace('"/shop"', '"/other"'))
    nightly.summary(FIRST, state=False)

    assert len(list(nightly.folder.glob(".stream-sent-*.db"))) == 2


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "is empty"),
        (b"{}", "no state of --since-last"),
        (b"not a database at all" * 90, "no state of --since-last"),
    ],
)
def test_a_file_that_is_no_state_is_refused_in_one_line_and_left_as_it_is(nightly, content, hint):
    nightly.state.write_bytes(content)

    answer = nightly.imported(FIRST)

    assert answer.exit_code == 2
    assert hint in answer.stderr
    assert str(nightly.state) in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert nightly.state.read_bytes() == content
    assert nightly.sent() == []


def test_a_database_of_another_program_is_refused(nightly):
    with sqlite3.connect(nightly.state) as other:
        other.execute("CREATE TABLE sent (event, content)")
    before = nightly.state.read_bytes()

    answer = nightly.imported(FIRST)

    assert answer.exit_code == 2
    assert "no state of --since-last" in answer.stderr
    assert nightly.state.read_bytes() == before


def test_a_damaged_state_is_one_line(nightly):
    nightly.summary(FIRST)
    whole = nightly.state.read_bytes()
    nightly.state.write_bytes(whole[: len(whole) // 2])

    answer = nightly.imported(FIRST)

    assert answer.exit_code == 2
    assert len(answer.stderr.strip().splitlines()) == 1
    assert len(nightly.sent()) == 2


def test_the_state_of_other_topics_is_refused(nightly):
    nightly.summary(FIRST)
    other = Nightly(nightly.folder, nightly.broker, f"{nightly.prefix}x")

    answer = other.imported(FIRST)

    assert answer.exit_code == 2
    assert "says what was sent to" in answer.stderr
    assert other.sent() == []


def test_two_imports_at_once_with_one_state_are_refused(nightly):
    nightly.summary(FIRST)
    script = (
        "import sys; from pathlib import Path;"
        "from stream.importing.files.output.sent_before import SentBefore;"
        f"kept = SentBefore(Path({str(nightly.state)!r}), '/shop');"
        "print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "open\n"

    answer = nightly.imported(FIRST + SECOND)

    holder.stdin.close()
    holder.wait(30)
    assert answer.exit_code == 2
    assert "is in use: another import" in answer.stderr
    assert nightly.summary(FIRST + SECOND)["sent"] == 1


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--journal", "journal.json"], "--since-last notes what it sends in --state"),
        (["--out", "events.jsonl"], "either --out FILE or --to-kafka"),
    ],
)
def test_options_that_contradict_are_refused(nightly, options, hint):
    answer = nightly.imported(FIRST, *options)

    assert answer.exit_code == 2
    assert hint in answer.stderr


def test_state_and_since_last_belong_to_kafka(nightly):
    for words, hint in (
        ("--since-last --out x.jsonl", "--since-last belongs to --to-kafka"),
        ("--state x.db --to-kafka", "--state belongs to --since-last"),
    ):
        (nightly.folder / "export.csv").write_text(HEADER + FIRST)
        files = [str(nightly.folder / "export.csv"), "--mapping", str(nightly.folder / "mine.toml")]
        answer = CliRunner().invoke(main, ["import", *files, *words.split()])

        assert answer.exit_code == 2
        assert hint in answer.stderr


def test_orders_that_are_named_by_file_and_line_are_refused(nightly):
    (nightly.folder / "mine.toml").write_text(INVOICES.replace('order = "invoice"\n', ""))

    answer = nightly.imported(FIRST)

    assert answer.exit_code == 2
    assert "name one in [columns]" in answer.stderr
    (nightly.folder / "mine.toml").write_text(INVOICES.replace('"invoice"', '"customer+time"'))
    assert nightly.summary(FIRST, name="a.csv")["sent"] == 2
    assert nightly.summary(SECOND + FIRST, name="b.csv")["sent"] == 1


def event(number: int, value: bytes = b"{}") -> OutgoingEvent:
    return OutgoingEvent(number, 0, f"e{number}", number, "ann", value)


def test_nothing_is_noted_that_was_not_acknowledged(tmp_path):
    """A crash at any place sends again what was handed over since the last acknowledgement, and only that."""
    path = tmp_path / "sent.db"
    state = SentBefore(path, "/shop")
    state.begin("cluster", ("t",))
    for number in range(4):
        assert not state.is_sent(number, event(number))
        state.handed_over(number, event(number))
        if number == 1:
            state.acknowledged()
    state._db.close()  # as if the process had died

    again = SentBefore(path, "/shop")
    again.begin("cluster", ("t",))
    assert [again.is_sent(number, event(number)) for number in range(5)] == [True, True, False, False, False]
    again.close()


def test_one_id_of_two_sources_is_two_events(tmp_path):
    for source, sent in (("/a", False), ("/b", False), ("/a", True)):
        state = SentBefore(tmp_path / "sent.db", source)
        state.begin("cluster", ("t",))
        assert state.is_sent(1, event(1)) is sent
        state.handed_over(1, event(1))
        state.acknowledged()
        state.close()


def test_a_state_that_noted_nothing_leaves_no_file(tmp_path):
    SentBefore(tmp_path / "sent.db", "/shop").close()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(SentBeforeError, match="cannot be used as --state"):
        SentBefore(tmp_path / "missing" / "sent.db", "/shop")


def test_a_broker_that_does_not_acknowledge_leaves_the_events_to_the_next_run(nightly, monkeypatch):
    def unheard(*_):
        raise kafka.SendError("no acknowledgement")

    with monkeypatch.context() as patch:
        patch.setattr(kafka, "_wait_for_acknowledgements", unheard)
        assert nightly.imported(FIRST).exit_code == 1

    assert nightly.summary(FIRST)["sent"] == 2
