"""A recording: events in order of time, and the lines that are not events, however often it is read."""

from pathlib import Path

from stream.recording.recording import Recording
from stream.wire import encode_event
from tests.support.builders import bought


def test_bad_lines_are_reported_once_however_often_the_events_are_read(tmp_path: Path):
    file, event = tmp_path / "events.jsonl", bought(0)
    invalid = encode_event(bought(1)).replace(b'"order_id"', b'"order_name"')
    unknown = encode_event(bought(2)).replace(b"purchase.completed", b"purchase.dreamt")
    file.write_bytes(b"\n".join([b"not JSON", encode_event(event), invalid, unknown]))
    recording = Recording([file])

    first, second = list(recording.events()), list(recording.events())

    assert first == second == [event]
    assert [line.line for line in recording.unreadable] == [1, 3]
    assert recording.unknown == 1
