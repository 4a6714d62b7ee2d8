"""An input that is deleted, or created again, ends the process; a topic whose id is unknown does not."""

import time

import pytest
from confluent_kafka import Uuid
from confluent_kafka.admin import AdminClient

from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.options import EngineOptions
from stream.engine.start.topic_ids import MISSES_MAX, TopicAnswer, TopicIds, TopicWatch, id_of
from tests.faults.losses import delete_topics
from tests.support.kafka_broker import Broker, MockBroker, create_topics, free_port

NOTHING = TopicAnswer({})


def options(bootstrap: str, *inputs: str) -> EngineOptions:
    return EngineOptions("app", bootstrap, inputs or ("a", "b"), "rows")


@pytest.fixture
def watch() -> TopicWatch:
    return TopicWatch(options("nowhere:1"), FailStop(exit=lambda _: None))


def test_a_topic_with_another_id_than_before_was_created_again(watch: TopicWatch) -> None:
    watch.note(TopicAnswer({"a": "one", "b": "two"}))
    watch.note(NOTHING)
    watch.note(TopicAnswer({"b": "two"}, {"a"}))

    with pytest.raises(
        EngineError, match=r"a was created again: .* had the id one, this one has three"
    ) as failure:
        watch.note(TopicAnswer({"a": "three"}))

    assert failure.value.code == Exit.DATA_LOSS


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_an_input_that_is_compacted_stops_the_worker(watch: TopicWatch, policy: str) -> None:
    with pytest.raises(EngineError, match=f"a has cleanup.policy={policy}: .* Set it to delete") as failure:
        watch.note(TopicAnswer({"a": "one"}, compacted={"a": policy}))

    assert failure.value.code == Exit.CONFIGURATION


def test_settings_that_may_not_be_read_are_told_once(
    watch: TopicWatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch.note(TopicAnswer({}, hidden={"a"}))
    watch.note(TopicAnswer({}, hidden={"a", "b"}))
    watch.note(TopicAnswer({}, hidden={"a", "b"}))

    assert [record.args for record in caplog.records] == [("a",), ("b",)]


def test_an_id_that_becomes_known_late_counts_from_then_on(watch: TopicWatch) -> None:
    watch.note(NOTHING)
    watch.note(TopicAnswer({"a": "one"}))

    with pytest.raises(EngineError):
        watch.note(TopicAnswer({"a": "two"}))


def test_a_topic_that_is_missing_again_and_again_was_deleted(watch: TopicWatch) -> None:
    for _ in range(MISSES_MAX - 1):
        watch.note(TopicAnswer({}, {"a"}))
    watch.note(NOTHING)  # no answer: that does not say that the topic is gone
    for _ in range(MISSES_MAX - 1):
        watch.note(TopicAnswer({}, {"a"}))

    with pytest.raises(EngineError, match="a was deleted: the broker has not known it for 30 s") as failure:
        watch.note(TopicAnswer({"b": "two"}, {"a"}))

    assert failure.value.code == Exit.DATA_LOSS


def test_ids_are_written_as_kafka_writes_them() -> None:
    assert id_of(Uuid(-1, 5)) == "__________8AAAAAAAAABQ"
    assert id_of(Uuid(0, 0)) == id_of(None) == "", "an older broker has none"


def test_an_embedded_broker_and_one_that_is_away_give_no_answer_and_the_first_does_so_at_once(
    mock_broker: MockBroker,
) -> None:
    embedded = TopicIds(options(mock_broker.bootstrap))
    started = time.monotonic()

    assert (embedded.ask(), embedded.ask()) == (NOTHING, NOTHING)
    assert time.monotonic() - started < 2
    assert TopicIds(options(f"127.0.0.1:{free_port()}")).ask() == NOTHING


@pytest.mark.kafka
def test_a_topic_created_again_has_another_id_and_a_missing_one_is_gone(broker: Broker, prefix: str) -> None:
    topic, other, client = f"{prefix}.a", f"{prefix}.b", AdminClient({"bootstrap.servers": broker.bootstrap})
    create_topics(broker.bootstrap, [topic])
    ids = TopicIds(options(broker.bootstrap, topic, other))  # and of the changelog, which is missing too

    first, again = ids.ask(), ids.ask()
    delete_topics(client, topic)
    create_topics(broker.bootstrap, [topic, other])
    recreated = ids.ask()

    assert first == again == TopicAnswer({topic: first.ids[topic]}, {other, "rows"})
    assert len(first.ids[topic]) == 22
    assert recreated.ids.keys() == {topic, other}
    assert recreated.ids[topic] != first.ids[topic]
