"""Reading in bulk gives what aiokafka gives record by record, also where a header name is not UTF-8."""

import gc
import weakref

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record._crecords.cutil import crc32c_cython
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from stream.engine.client_internals import FetchedRecords, RawRecords

READ_UNCOMMITTED = 0


class Name(str):
    """A header name that is encoded as bytes that are not UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe\xfd"


def batch(
    *headers: list[tuple[str, bytes]], first: int = 0, compression: int = 0, control: bool = False
) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        magic=2, compression_type=compression, is_transactional=int(control), producer_id=-1,
        producer_epoch=-1, base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    for offset, each in enumerate(headers):
        assert builder.append(offset, 1_000, b"k%d" % (first + offset), b"v%d" % (first + offset), each)
    raw = bytearray(builder.build())
    raw[:8] = first.to_bytes(8, "big")  # not under the checksum, as the broker sets it
    if control:
        raw[22] |= 0x20
        raw[17:21] = crc32c_cython(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def fetched(raw: bytes, at: int = 0, check: bool = True) -> FetchedRecords:
    place = TopicPartition("events", 0)
    return FetchedRecords(place, RawRecords(raw), [], at, None, None, check, READ_UNCOMMITTED)


def read(raw: bytes, limit: int = 1_000) -> list[tuple[bytes, bytes, list]]:
    records, found = fetched(raw), []
    while not records.exhausted:
        found += [(each.key, each.value, list(each.headers)) for each in records.take(limit)]
    return found


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(0, 8),
)
def test_records_taken_in_any_portions_are_those_that_aiokafka_reads(
    batches: list[tuple[int, int, bool]], bites: list[int], at: int
) -> None:
    """Batches of some records, holes between them, and markers; from any offset on."""
    raw, next_offset = b"", 0
    for count, hole, control in batches:
        if count:
            raw += batch(*[[("a", b"1")]] * count, first=next_offset, control=control)
        next_offset += count + hole
    place = TopicPartition("events", 0)
    theirs = PartitionRecords(place, MemoryRecords(raw), [], at, None, None, True, READ_UNCOMMITTED)
    wanted = [(each.offset, each.timestamp, each.key, each.value, list(each.headers)) for each in theirs]

    ours, found = fetched(raw, at), []
    for bite in [*bites, 1_000]:
        taken = ours.take(bite)
        assert len(taken) == bite or ours.exhausted
        found += taken
        assert all(each.offset < ours.next_fetch_offset for each in taken)

    assert [(e.offset, e.timestamp, e.key, e.value, list(e.headers)) for e in found] == wanted
    assert ours.next_fetch_offset == theirs.next_fetch_offset


@pytest.mark.parametrize("limit", [1, 2, 1_000])
@pytest.mark.parametrize("compression", [0, 1, 3])
def test_a_header_name_that_is_not_utf_8_is_read_and_so_are_the_records_behind_it(
    compression: int, limit: int
) -> None:
    raw = batch([("a", b"1")], [(Name("x"), b"2"), ("b", b"3")], [], compression=compression)
    good = batch([("c", b"4")], first=3)

    assert read(raw + good, limit) == [
        (b"k0", b"v0", [("a", b"1")]),
        (b"k1", b"v1", [("\ufffd\ufffd\ufffd", b"2"), ("b", b"3")]),
        (b"k2", b"v2", []),
        (b"k3", b"v3", [("c", b"4")]),
    ]


def test_bytes_with_a_wrong_checksum_are_not_read() -> None:
    raw = bytearray(batch([("a", b"1")]))
    raw[-2] ^= 1

    with pytest.raises(CorruptRecordException):
        fetched(bytes(raw)).take(10)


def test_the_bytes_of_a_fetch_are_freed_at_once() -> None:
    """A megabyte per partition is too much to wait for Python's garbage collector."""
    gc.disable()
    try:
        records = fetched(batch([("a", b"1")]))
        records.take(10)
        alive = weakref.ref(records)
        del records
        assert alive() is None
    finally:
        gc.enable()
