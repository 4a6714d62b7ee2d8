"""A recording: events in order of time, and the lines that are not events, however often it is read."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import ModelPublished
from stream.core.events.payload import ModelRecord
from stream.core.model.document import encode_model
from stream.model_file import default_model
from stream.recording.recording import Recording
from stream.wire import encode_event
from tests.support.builders import bought, reviewed, when
from tests.support.strategies import tied_lives


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


@given(tied_lives(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_order_of_files_and_lines_does_not_matter_within_an_instant(life, random, count):
    with TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.jsonl") for number in range(count)]
        readings = []
        for _ in range(2):
            parts: dict[Path, list[bytes]] = {file: [] for file in files}
            for event in random.sample(life, len(life)):
                parts[random.choice(files)].append(encode_event(event))
            for file, lines in parts.items():
                file.write_bytes(b"\n".join(lines))
            readings.append(list(Recording(random.sample(files, count)).events()))

    assert readings[0] == readings[1]
    assert [event.time_ms for event in readings[0]] == sorted(event.time_ms for event in life)


def test_a_model_counts_from_its_instant_on_so_it_comes_after_every_event_of_it(tmp_path: Path):
    data = ModelRecord(model=msgspec.Raw(encode_model(default_model())))
    published = ModelPublished(id="m", source="/fit", subject="model", time=when(1), data=data)
    review, order = reviewed(1, 5), bought(1)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(encode_event(event) for event in (published, order, review)))

    assert list(Recording([file]).events()) == [review, order, published]
