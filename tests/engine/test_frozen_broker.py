"""A broker that stops to answer ends a worker, whatever the worker was waiting for at that instant."""

import asyncio
import re
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from confluent_kafka import KafkaError, KafkaException

from stream.engine.failure import EngineError, Exit
from stream.engine.input.lease import Lease
from stream.engine.options import EngineOptions
from stream.engine.output.group import Group
from stream.engine.output.producer import Sender
from stream.engine.partition_id import PartitionId
from stream.engine.state.recovery import ChangelogReader
from stream.engine.state.recovery_progress import RecoveryProgress
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from tests.faults.workers import ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker
from tests.support.toy_app import ToyCodec

PLACE = PartitionId("purchases", 0)


class Unanswered:
    """A member of a group whose coordinator is frozen."""

    async def _never(self, *_: Any) -> Any:
        await asyncio.Event().wait()

    commit_points = committed_points = next_offsets = _never


@pytest.mark.parametrize(
    ("question", "about", "reason"),
    [
        (
            "commit",
            {PLACE: CommitPoint(7, flush=3, clock_ms=9, given_ms=9)},
            "offsets could not be committed",
        ),
        ("committed", [PLACE], "committed offsets are not known"),
        ("ends", [PLACE], "the ends of logs are not known"),
    ],
)
def test_a_group_that_never_answers_is_not_waited_for_forever(question: str, about: Any, reason: str) -> None:
    group = Group(Unanswered, 0.01)  # type: ignore[arg-type]
    with pytest.raises(KafkaTimeoutError, match=reason):
        asyncio.run(getattr(group, question)(about))


@pytest.mark.kafka
@pytest.mark.timeout(120)
@pytest.mark.parametrize("question", ["commit", "ends"])
def test_a_broker_that_freezes_while_it_is_asked_ends_the_worker(
    own_broker: Broker, prefix: str, tmp_path: Path, question: str
) -> None:
    """In other instants the lease runs out first, or an acknowledgement does not come."""
    make_topics(own_broker.bootstrap, prefix)
    asked = tmp_path / "asked"
    worker = ToyWorker(
        own_broker.bootstrap, prefix, tmp_path / "log", hold=(question, asked), delivery_timeout_s=5.0
    )
    produce(own_broker.bootstrap, Shop(prefix, 3).inputs(100))
    worker.wait_for_line(f"holds before {question}")
    own_broker.pause()
    asked.touch()

    assert worker.process.wait(60) == Exit.PRODUCER
    assert f"Kafka at {own_broker.bootstrap} does not answer" in worker.last_log_lines()


class SilentReader:
    """A consumer of librdkafka that gets no record any more; its broker may answer other questions."""

    def __init__(self, answers: bool) -> None:
        self._answers = [True, answers]

    def get_watermark_offsets(self, *_: Any) -> tuple[int, int]:
        if not self._answers.pop(0):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return 0, 10

    def assign(self, _: Any) -> None:
        """Nothing."""

    def consume(self, *_: Any) -> list[Any]:
        return []


@pytest.mark.parametrize(("answers", "ends_with"), [(True, EngineError), (False, KafkaException)])
def test_a_broker_that_freezes_while_rows_are_read_back_is_no_loss_of_data(
    monkeypatch: pytest.MonkeyPatch, answers: bool, ends_with: type[Exception]
) -> None:
    """A loss (exit 74) is final, also for `--processes`; no answer (71) is waited for by the next start."""
    monkeypatch.setattr("stream.engine.state.recovery.SOON_S", 0.01)
    monkeypatch.setattr("stream.engine.state.recovery.NO_END_S", 0.01)
    reader: Any = SilentReader(answers)
    options = EngineOptions("app", "127.0.0.1:1", ("events",), "rows")
    tables = {0: Table(ToyCodec(), MemoryStore(), 10)}
    reading = ChangelogReader(reader, options, tables, threading.Event(), RecoveryProgress())
    with pytest.raises(ends_with):
        reading.read_to_ends(hidden_too=False)


@pytest.mark.parametrize(
    ("lease", "silence"), [(Lease(30.0), r"\(Kafka has answered no heartbeat for \d+ s\)"), (None, "30 s;")]
)
def test_a_stop_that_takes_too_long_names_the_broker_that_does_not_answer(
    lease: Lease | None, silence: str
) -> None:
    """It does not matter that the member has not started."""
    member = SimpleNamespace(lease=lease) if lease is not None else SimpleNamespace()
    late = Group(lambda: member, 60.0).stopped_late(30.0)

    assert late.code == Exit.PRODUCER
    assert re.search(silence, str(late))


def test_a_partition_that_is_taken_over_from_a_frozen_broker_ends_the_worker_with_its_name() -> None:
    """With exactly once it was "Timed out waiting for operation to finish, retry call to resume"."""

    def unanswered(_: float) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    sender = Sender(
        EngineOptions("app", "127.0.0.1:1", ("events",), "rows", producer={"log_level": 0}), "one"
    )
    sender._producer = SimpleNamespace(init_transactions=unanswered)
    with pytest.raises(
        EngineError, match=r"^Kafka at 127.0.0.1:1 has not answered for 60 s; nothing"
    ) as ended:
        sender.take_over()

    assert ended.value.code == Exit.PRODUCER
