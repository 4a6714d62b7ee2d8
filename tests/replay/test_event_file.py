import gzip

import pytest

from stream.replay.event_file import opened, written


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz", "events.jsonl.zst"])
def test_what_was_written_is_read_back_through_the_suffixs_compression(tmp_path, name):
    with written(tmp_path / name) as out:
        out.write(b'{"a":1}\n')
        out.write(b'{"a":2}\n')

    with opened(tmp_path / name, "rb") as file:
        assert file.read() == b'{"a":1}\n{"a":2}\n'


def test_a_gz_suffix_is_really_gzip(tmp_path):
    with written(tmp_path / "e.gz") as out:
        out.write(b"x")

    assert gzip.decompress((tmp_path / "e.gz").read_bytes()) == b"x"


@pytest.mark.parametrize("trouble", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, trouble):
    (tmp_path / "events.jsonl").write_bytes(b"old")

    def interrupted():
        with written(tmp_path / "events.jsonl") as out:
            out.write(b"half")
            raise trouble

    with pytest.raises(trouble):
        interrupted()

    assert [p.name for p in tmp_path.iterdir()] == ["events.jsonl"]
    assert (tmp_path / "events.jsonl").read_bytes() == b"old"
