"""Files of events: written whole, read whatever their compression, damage reported in one line."""

import gzip

import pyarrow as pa
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.recording.event_file import UnreadableFileError, atomic_writer, numbered_lines, open_unpacked


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz", "events.jsonl.zst"])
def test_a_file_is_compressed_as_its_suffix_says_and_read_back(tmp_path, name):
    with atomic_writer(tmp_path / name) as out:
        out.write(b'{"a":1}\n')
        out.write(b'{"a":2}\n')

    with open_unpacked(tmp_path / name) as file:
        assert file.read() == b'{"a":1}\n{"a":2}\n'


def test_a_gz_suffix_is_really_gzip(tmp_path):
    with atomic_writer(tmp_path / "e.gz") as out:
        out.write(b"x")

    assert gzip.decompress((tmp_path / "e.gz").read_bytes()) == b"x"


@pytest.mark.parametrize("trouble", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, trouble):
    (tmp_path / "events.jsonl").write_bytes(b"old")

    def interrupted():
        with atomic_writer(tmp_path / "events.jsonl") as out:
            out.write(b"half")
            raise trouble

    with pytest.raises(trouble):
        interrupted()

    assert [p.name for p in tmp_path.iterdir()] == ["events.jsonl"]
    assert (tmp_path / "events.jsonl").read_bytes() == b"old"


def packed(path, compression, content=b'{"a":1}\n\n{"a":2}\n'):
    if compression == "none":
        path.write_bytes(content)
    elif compression == "gzip":
        path.write_bytes(
            gzip.compress(content[:4]) + gzip.compress(content[4:])
        )  # as `cat a.gz b.gz` makes it
    else:
        with pa.output_stream(path, compression=compression) as out:
            out.write(content)
    return path


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz", "e.zst"])
def test_lines_are_read_by_the_format_of_the_content_whatever_the_name(tmp_path, compression, name):
    path = packed(tmp_path / name, compression)

    assert list(numbered_lines(path)) == [(1, b'{"a":1}'), (3, b'{"a":2}')]


@pytest.mark.parametrize("name", ["e.jsonl", "e.gz", "e.zst"])
def test_an_empty_file_has_no_lines(tmp_path, name):
    (tmp_path / name).touch()

    assert list(numbered_lines(tmp_path / name)) == []


def test_a_byte_order_mark_is_not_part_of_the_first_line(tmp_path):
    path = packed(tmp_path / "e.jsonl", "none", b'\xef\xbb\xbf{"a":1}\r\n')

    assert list(numbered_lines(path)) == [(1, b'{"a":1}')]


def cut(whole: bytes) -> bytes:
    return whole[: len(whole) * 2 // 3]


def garbled(whole: bytes) -> bytes:
    return whole[:12] + bytes(byte ^ 0x5A for byte in whole[12:])


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("harm", [cut, garbled])
def test_a_damaged_file_is_a_one_line_error_with_its_name(tmp_path, compression, harm):
    path = packed(tmp_path / "events", compression, b"".join(b'{"a":%d}\n' % n for n in range(9_999)))
    path.write_bytes(harm(path.read_bytes()))

    with pytest.raises(UnreadableFileError, match="events is damaged or incomplete"):
        list(numbered_lines(path))
    result = CliRunner().invoke(main, ["replay", str(path)])

    assert result.exit_code == 2
    assert f"Error: {path} is damaged or incomplete" in result.output


def test_an_unusable_published_model_is_a_rejected_line_as_it_is_a_dead_letter_of_the_worker(tmp_path):
    line = (
        b'{"specversion":"1.0","id":"m","source":"/fit","type":"model.published","subject":"m",'
        b'"time":"2024-01-01T00:00:00Z","data":{"model":{"name":"none"}}}'
    )
    path = packed(tmp_path / "events.jsonl", "none", line)

    result = CliRunner().invoke(main, ["replay", str(path)])

    assert result.exit_code == 1
    assert "events.jsonl:1: schema: not a model: Object missing required field" in result.output
