"""A live deployment of version 0.1.0 is upgraded worker by worker, and back: no fact is lost or wrong."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from stream.core.events.event import Event
from stream.core.facts.profile import PROFILE_VERSION, Profile
from stream.engine import Exit
from stream.worker.rows.row import StoredRow
from tests.support.builders import bought
from tests.support.laws import assert_alike
from tests.support.released import WorkerOf, code_of_0_1_0, known_to_version_1
from tests.support.running_worker import WorkerKafka, WorkerProcess, replayed, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of version 0.1.0."""
    code = code_of_0_1_0(tmp_path_factory.mktemp("released"))
    if code is None:
        pytest.skip("the history of this clone does not reach back to version 0.1.0 (a shallow clone?)")
    return code


def is_ready(worker: WorkerProcess) -> bool:
    return worker.get("/readyz")[0] == 200


def feed(kafka: WorkerKafka, folder: Path, events: list[Event], *codes: Path | None) -> None:
    """Events for workers that run together, one for each folder of code (None: of this version)."""
    folder.mkdir()
    with ExitStack() as running:
        workers = []
        for number, code in enumerate(codes):
            log = folder / str(number)
            worker = WorkerOf(code, kafka, log) if code else WorkerProcess(kafka, log)
            workers.append(running.enter_context(worker))
        for worker in workers:
            worker.wait_until(lambda worker=worker: is_ready(worker), "a worker that is ready")  # type: ignore[misc]
        kafka.send(*events, tick(events[-1].time))
        kafka.wait_for_commits(workers[0])
        for worker in workers:
            assert worker.stop() == 0, worker.log_text()
            assert "cannot be read" not in worker.log_text()


def assert_facts_of(kafka: WorkerKafka, events: list[Event]) -> None:
    """Every fact that version 1 knows is that of a replay of the same events."""
    found, wanted = kafka.profiles(), replayed(events)[0]
    assert found.keys() == wanted.keys()
    for customer, profile in found.items():
        assert profile.version == PROFILE_VERSION
        assert profile.events == wanted[customer].events
        assert_alike(known_to_version_1(profile), known_to_version_1(wanted[customer]), customer)
    assert kafka.records("deadletter") == []


def test_workers_of_0_1_0_are_replaced_one_by_one_and_come_back(new_kafka, history, released, tmp_path):
    kafka = new_kafka()
    turns: tuple[tuple[Path | None, ...], ...] = (
        (released,),
        (released, None),
        (None,),
        (released,),
        (None,),
    )
    cuts = [len(history) * part // len(turns) for part in range(len(turns) + 1)]
    for turn, codes in enumerate(turns):
        feed(kafka, tmp_path / str(turn), history[cuts[turn] : cuts[turn + 1]], *codes)
        assert_facts_of(kafka, history[: cuts[turn + 1]])


def test_a_policy_with_another_zone_is_refused_for_a_running_application(new_kafka, tmp_path):
    kafka = new_kafka(1)
    policy = tmp_path / "berlin.toml"
    policy.write_text('[business]\nzone = "Europe/Berlin"\n')
    feed(kafka, tmp_path / "utc", [bought(day) for day in range(3)], None)

    with WorkerProcess(kafka, tmp_path / "berlin", policy=str(policy)) as worker:
        assert worker.wait_for_exit() == Exit.CONFIGURATION
        last = worker.log_text().strip().splitlines()[-1]
    for word in ("zone", "currency", "rates", "cut over", "docs/runbook.md"):
        assert word in last, last

    kafka.send(bought(5))
    with WorkerProcess(kafka, tmp_path / "utc again") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
    assert kafka.profiles()["c"].buying.sums.orders == 4


def test_a_row_of_a_later_version_stops_every_worker_before_it_changes_anything(new_kafka, tmp_path):
    kafka = new_kafka(1)
    kafka.send(bought(1))
    row = msgspec.json.encode(StoredRow(profile=Profile("c", PROFILE_VERSION + 1)))
    kafka.put(kafka.names.profiles, b"c", row, 0)
    kafka.flush()

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        assert worker.wait_for_exit() == Exit.DATA_LOSS
        assert f"version {PROFILE_VERSION + 1}" in worker.log_text().strip().splitlines()[-1]

    assert [record.value() for record in kafka.records("profiles") if record.key() == b"c"] == [row]
    assert sum(kafka.committed().values()) == 0
