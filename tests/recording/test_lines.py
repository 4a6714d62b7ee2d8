"""The lines of a recording: in order of time, complete, and partly in a file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.recording import lines as module
from stream.recording.lines import OF_ALL, Lines, Origin, share_of
from stream.recording.recording import Recording
from stream.wire import encode_event
from tests.support.builders import bought
from tests.support.hard_history import write_hard_history

ADDED = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from([0, 1, 7, 65_534, OF_ALL]),
        st.none() | st.binary(max_size=300),
    ),
    max_size=40,
)


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    monkeypatch.setattr(module, "MEMORY_MAX", 500)
    monkeypatch.setattr(module, "BLOCK_BYTES", 200)


@given(added=ADDED, jobs=st.integers(2, 5))
def test_what_was_added_is_read_in_order_of_time_wherever_it_is_kept(added, jobs):
    lines = Lines()
    for number, (at_ms, share, text) in enumerate(added):
        lines.append(at_ms, Origin(number % 3, number), share, text)
    lines.sort()
    expected = sorted(enumerate(added), key=lambda one: one[1][0])

    assert lines.times_ms() == [at_ms for _, (at_ms, _, _) in expected]
    assert [lines.origin(place).number for place in range(len(lines))] == [number for number, _ in expected]
    assert [lines.text(place) for place in range(len(lines))] == [text for _, (_, _, text) in expected]
    for job in range(jobs):
        wanted = [
            place
            for place, (_, (_, share, _)) in enumerate(expected)
            if share == OF_ALL or share % jobs == job
        ]
        assert list(lines.places(job, jobs)) == wanted
        together = [list(places) for places in lines.instants(lines.places(job, jobs))]
        assert [place for places in together for place in places] == wanted
        times = [{lines.at_ms(place) for place in places} for places in together]
        assert [len(each) for each in times] == [1] * len(times)
        assert sorted(set().union(*times)) == [min(each) for each in times]


@given(st.text(max_size=50))
def test_a_customer_is_always_in_the_same_part(customer):
    assert 0 <= share_of(customer) < OF_ALL
    assert share_of(customer) == share_of(customer)


def test_a_recording_larger_than_its_memory_reads_the_same_and_leaves_no_file(tmp_path, monkeypatch):
    path = write_hard_history(tmp_path / "events.jsonl", 12, 200)
    in_files = list(Recording([path]).events())
    monkeypatch.setattr(module, "MEMORY_MAX", 1 << 30)

    assert in_files == list(Recording([path]).events())
    assert [one.name for one in tmp_path.iterdir()] == ["events.jsonl"]


def test_a_file_that_changes_after_it_was_read_changes_nothing(tmp_path):
    path = tmp_path / "events.jsonl"
    event = bought(0)
    path.write_bytes(encode_event(event))
    recording = Recording([path])
    path.write_bytes(b"something else")

    assert list(recording.events()) == list(recording.events()) == [event]


def test_an_event_at_hand_is_the_same_after_it_was_kept():
    with TemporaryDirectory() as folder:
        path = write_hard_history(Path(folder, "events.jsonl"), 12, 200)
        events = list(Recording([path]).events())

    again = Recording.of(("topic-0", number, event) for number, event in enumerate(events))

    assert list(again.events()) == events
