"""Whatever a producer calls its headers, the record is read."""

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from stream.engine.records import ForgivingRecords


class Name(str):
    """A header name that goes out as other bytes."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        return b"\xff\xfe\xfd"


def batch(*headers: list[tuple[str, bytes]], compression: int = 0) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        magic=2, compression_type=compression, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    for offset, each in enumerate(headers):
        assert builder.append(offset, 1_000, b"k%d" % offset, b"v%d" % offset, each)
    return bytes(builder.build())


def read(raw: bytes) -> list[tuple[bytes, bytes, list]]:
    records, found = ForgivingRecords(raw), []
    while records.has_next():
        seen = -1
        for record in records.next_batch():
            if record.offset > seen:  # as aiokafka does
                seen = record.offset
                found.append((record.key, record.value, list(record.headers)))
    return found


@pytest.mark.parametrize("compression", [0, 1, 3])
def test_a_header_name_that_is_no_text_is_read_and_so_is_what_follows(compression: int) -> None:
    raw = batch([("a", b"1")], [(Name("x"), b"2"), ("b", b"3")], [], compression=compression)
    good = batch([("c", b"4")])

    assert read(raw + good) == [
        (b"k0", b"v0", [("a", b"1")]),
        (b"k1", b"v1", [("\ufffd\ufffd\ufffd", b"2"), ("b", b"3")]),
        (b"k2", b"v2", []),
        (b"k0", b"v0", [("c", b"4")]),
    ]


def test_a_batch_still_tells_what_it_is() -> None:
    found = ForgivingRecords(batch([])).next_batch()

    assert (found.is_control_batch, found.is_transactional, found.validate_crc()) == (False, False, True)
