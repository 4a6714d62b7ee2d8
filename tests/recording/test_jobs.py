"""Work in several processes: every event once, one answer a part, and all of them end together."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time

import pytest

from stream.core.events.event import CostRecorded, Event
from stream.recording import jobs as module
from stream.recording.jobs import GC_THRESHOLDS, LostJobError, WorkTraceback, jobs_of_machine, jobs_over
from stream.recording.part import Part
from stream.recording.recording import Recording
from stream.wire import BROADCAST, is_broadcast
from tests.support.hard_history import write_hard_history

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere one process does the work")


@pytest.fixture
def recording(tmp_path) -> Recording:
    return Recording([write_hard_history(tmp_path / "events.jsonl", 12, 200)])


def events_of(part: Part) -> list[Event]:
    return list(part.events())


def own_number(part: Part) -> tuple[int, int]:
    return part.job, os.getpid()


def collections(part: Part) -> tuple[int, int, int]:
    return gc.get_threshold()


def remember(part: Part, word: str) -> None:
    part.kept = word * (part.job + 1)


def recall(part: Part) -> str:
    kept: str = part.kept
    return kept


def kept_names(part: Part) -> object:
    own = {event.subject for event in part.events() if not isinstance(event, (*BROADCAST, CostRecorded))}
    return part.keep(((name,), f"{name} of {part.job}".encode()) for name in sorted(own))


def fail(part: Part) -> None:
    if part.job == 1:
        raise ValueError("no good")
    time.sleep(60)


def unsendable(part: Part) -> object:
    return lambda: part


def be_killed(part: Part) -> None:
    if part.job == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def test_each_event_is_in_one_part_in_order_and_what_concerns_everybody_in_each(recording):
    whole = list(recording.events())

    with jobs_over(recording, 3) as jobs:
        parts = jobs.run("reading", events_of)

    assert [len(part) > len(whole) / 10 for part in parts] == [True] * 3
    shared = [event for event in whole if is_broadcast(event)]
    costs = [event for event in whole if isinstance(event, CostRecorded)]
    for part in parts:
        customers = {event.subject for event in part if not isinstance(event, (*BROADCAST, CostRecorded))}
        common = [event for event in part if isinstance(event, (*BROADCAST, CostRecorded))]
        assert [event for event in part if event not in common] == [
            event for event in whole if event.subject in customers and event not in shared + costs
        ]
        assert [event for event in common if is_broadcast(event)] == shared
    assert [event for event in parts[0] if isinstance(event, CostRecorded)] == costs
    assert sum(map(len, parts)) == len(whole) + 2 * len(shared)


def test_lines_that_are_no_events_are_told_once_and_in_the_same_order(tmp_path):
    path = write_hard_history(tmp_path / "events.jsonl", 12, 200)
    found = []
    for count in (1, 2, 5):
        recording = Recording([path])
        with jobs_over(recording, count) as jobs:
            jobs.run("reading", events_of)
            jobs.run("reading again", events_of)
        found.append((recording.unreadable, recording.unknown))

    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) > 5
    assert found[0][1] > 0


def test_answers_come_in_the_order_of_the_parts_and_a_process_remembers(recording):
    with jobs_over(recording, 3) as jobs:
        numbers = jobs.run("counting", own_number)
        jobs.run("learning", remember, "a")
        answers = jobs.run("telling", recall)

    assert [number for number, _ in numbers] == [0, 1, 2]
    assert len({process for _, process in numbers} - {os.getpid()}) == 3
    assert answers == ["a", "aa", "aaa"]


def test_what_the_parts_keep_is_merged_by_its_key(recording):
    with jobs_over(recording, 1) as jobs:
        (everybody,) = [list(jobs.merged(jobs.run("naming", kept_names)))]
    with jobs_over(recording, 4) as jobs:
        first, second = (list(jobs.merged(jobs.run("naming", kept_names))) for _ in range(2))

    assert first == second
    assert [key for key, _ in first] == [key for key, _ in everybody]
    assert len({line.rpartition(b" ")[2] for _, line in first}) == 4


def test_a_failure_in_a_process_is_that_of_the_caller_and_ends_the_others(recording):
    with pytest.raises(ValueError, match="no good") as failure, jobs_over(recording, 3) as jobs:
        jobs.run("failing", fail)

    assert isinstance(failure.value.__cause__, WorkTraceback)
    assert "in fail" in str(failure.value.__cause__)
    assert multiprocessing.active_children() == []


def test_an_answer_that_cannot_be_sent_is_a_failure_and_nobody_waits_for_ever(recording):
    with pytest.raises(RuntimeError, match="pickle"), jobs_over(recording, 2) as jobs:
        jobs.run("telling", unsendable)


def test_a_process_that_is_killed_ends_all_with_one_line(recording):
    with pytest.raises(LostJobError) as lost, jobs_over(recording, 3) as jobs:
        jobs.run("working", be_killed)

    assert lost.value.message == (
        "one of the 3 processes was ended by signal 9 (out of memory?); --jobs 1 takes one, and least memory"
    )
    assert lost.value.exit_code == 1
    assert multiprocessing.active_children() == []


def test_by_default_a_small_recording_is_read_by_one_process_and_a_large_one_by_all_cores(
    recording, monkeypatch
):
    with jobs_over(recording) as jobs:
        small = jobs.run("counting", own_number)
    monkeypatch.setattr(module, "SMALL", 10)
    with jobs_over(recording) as jobs:
        large = jobs.run("counting", own_number)

    assert small == [(0, os.getpid())]
    assert len(large) == jobs_of_machine() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("count", [1, 2])
def test_reference_cycles_are_looked_for_seldom_while_there_is_work(recording, count):
    before = gc.get_threshold()

    with jobs_over(recording, count) as jobs:
        assert jobs.run("looking", collections) == [GC_THRESHOLDS] * count
    assert gc.get_threshold() == before


def test_where_processes_cannot_be_forked_safely_one_does_the_work(recording, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    with jobs_over(recording, 4) as jobs:
        assert jobs.run("counting", own_number) == [(0, os.getpid())]
    assert jobs_of_machine() == 1
