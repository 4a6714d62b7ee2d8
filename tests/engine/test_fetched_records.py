"""Reading in bulk gives what aiokafka gives record by record, also where a header name is not UTF-8."""

import gc
import weakref

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record._crecords.cutil import crc32c_cython
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from stream.engine.client_internals import FetchedRecords, RawRecords
from tests.support.fetched_batches import READ_COMMITTED, READ_UNCOMMITTED, batch, fetched, marker

PLACE = TopicPartition("events", 0)
COMMITTED, ABORTED = 1, 0
"""The types of a transaction's marker."""


class Name(str):
    """A header name that is encoded as bytes that are not UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe\xfd"


def read(raw: bytes, limit: int = 1_000) -> list[tuple[bytes, bytes, list]]:
    records, found = fetched(raw), []
    while not records.exhausted:
        found += [(each.key, each.value, list(each.headers)) for each in records.take(limit).records]
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
        taken = ours.take(bite).records
        assert len(taken) == bite or ours.exhausted
        found += taken
        assert all(each.offset < ours.next_fetch_offset for each in taken)

    assert [(e.offset, e.timestamp, e.key, e.value, list(e.headers)) for e in found] == wanted
    assert ours.next_fetch_offset == theirs.next_fetch_offset


STEPS = st.tuples(st.integers(0, 2), st.sampled_from(["records", "commit", "abort", "plain"]))
"""What one of three producers does next."""


@given(
    st.lists(STEPS, min_size=1, max_size=20),
    st.lists(st.integers(1, 5), min_size=1, max_size=20),
    st.integers(0, 1),
    st.sampled_from([0, 1, 3]),
)
def test_of_transactions_that_overlap_those_that_were_aborted_are_left_out_as_by_aiokafka(
    steps: list[tuple[int, str]], bites: list[int], at: int, compression: int
) -> None:
    """Every portion explains all offsets up to where it ends, and the portions follow each other.

    `at`: the fetch begins within its first batch, as the broker sends whole ones.
    """
    raw, next_offset = b"", 0
    begun: dict[int, int] = {}
    aborted: list[tuple[int, int]] = []
    for producer, step in steps:
        if step in {"records", "plain"}:
            by = producer if step == "records" else -1
            if step == "records":
                begun.setdefault(producer, next_offset)
            raw += batch([("a", b"1")], [], first=next_offset, compression=compression, producer=by)
            next_offset += 2
        elif producer in begun:
            raw += marker(COMMITTED if step == "commit" else ABORTED, producer, next_offset)
            first = begun.pop(producer)
            aborted += [(producer, first)] if step == "abort" else []
            next_offset += 1
    how = (list(aborted), at, None, None, True, READ_COMMITTED)
    wanted = [each.offset for each in PartitionRecords(PLACE, MemoryRecords(raw), *how)]

    ours, found, reached = FetchedRecords(PLACE, RawRecords(raw), *how), [], at
    for bite in [*bites, 1_000]:
        portion = ours.take(bite)
        assert portion.start == reached
        assert all(portion.start <= each.offset < portion.next_offset for each in portion.records)
        found += [each.offset for each in portion.records]
        reached = portion.next_offset

    assert found == wanted
    assert ours.exhausted
    assert reached == max(at, next_offset)


def test_offsets_before_the_first_batch_of_a_fetch_are_not_explained() -> None:
    """The log has lost them, or the answer was to another question: the delivery asks again."""
    portion = fetched(batch([], [], first=10), at=5).take(10)

    assert (portion.start, portion.next_offset) == (10, 12)


def test_a_batch_whose_records_were_all_compacted_away_is_passed() -> None:
    empty = bytearray(batch([], [], first=3))
    empty[57:61] = (0).to_bytes(4, "big")  # the number of records; the offsets of the batch stay
    empty[8:12] = (61 - 12).to_bytes(4, "big")
    empty = empty[:61]
    empty[17:21] = crc32c_cython(bytes(empty[21:])).to_bytes(4, "big")

    portion = fetched(bytes(empty) + batch([], first=5), at=3).take(10)

    assert (portion.start, [each.offset for each in portion.records], portion.next_offset) == (3, [5], 6)


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
