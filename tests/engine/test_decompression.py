"""A batch that holds too much when decompressed, or damaged bytes, costs its own records and no others."""

import gzip
import zlib

import cramjam
import pytest
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record import default_records
from aiokafka.record._crecords import default_records as default_in_c
from aiokafka.record._crecords.cutil import crc32c_cython
from hypothesis import given
from hypothesis import strategies as st

from stream.engine.client_internals import FetchedRecords
from stream.engine.client_internals.decompression import (
    BoundedDecoders,
    UnreadableBatchError,
    bound_decompression,
)
from stream.engine.options import EngineOptions
from tests.support.fetched_batches import batch, fetched

LIMIT = 1 << 20
DECODERS = BoundedDecoders(LIMIT)
CODECS = {
    "gzip": (gzip_encode, DECODERS.gzip, 1),
    "snappy": (lambda data: snappy_encode(data, xerial_compatible=False), DECODERS.snappy, 2),
    "snappy of Java": (snappy_encode, DECODERS.snappy, 2),
    "lz4": (lz4_encode, DECODERS.lz4, 3),
    "zstd": (zstd_encode, DECODERS.zstd, 4),
}
"""Name -> compress, decompress, the number in a batch."""
EACH = pytest.mark.parametrize(("encode", "decode", "number"), CODECS.values(), ids=CODECS)


@pytest.fixture(autouse=True)
def _small_bound():
    bound_decompression(LIMIT)
    yield
    bound_decompression(EngineOptions("a", "b:1", ("i",), "c").max_batch_bytes)


@EACH
@given(data=st.binary(min_size=1, max_size=4_000), times=st.integers(1, 50))
def test_what_fits_is_decompressed_as_it_was(encode, decode, number, data: bytes, times: int) -> None:
    assert decode(encode(data * times)) == data * times


@EACH
@pytest.mark.parametrize(("size", "fits"), [(LIMIT, True), (LIMIT + 1, False), (64 * LIMIT, False)])
def test_up_to_the_bound_and_no_further(encode, decode, number, size: int, fits: bool) -> None:
    packed = encode(bytes(size))
    if fits:
        assert len(decode(packed)) == size
        return
    with pytest.raises(UnreadableBatchError, match="more than 1,048,576 bytes") as failure:
        decode(packed)
    assert failure.value.too_large


@EACH
@given(data=st.data())
def test_damaged_bytes_are_never_anything_but_a_result_or_an_unreadable_batch(
    encode, decode, number, data: st.DataObject
) -> None:
    packed = bytearray(encode(b"some text of some length " * 40))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode(bytes(packed[: data.draw(st.integers(1, len(packed)))]))
    except UnreadableBatchError:
        return
    assert len(found) <= LIMIT


def test_a_gzip_of_several_members_is_read_to_its_end_and_bounded_as_a_whole() -> None:
    assert DECODERS.gzip(gzip.compress(b"a") + gzip.compress(b"b") + bytes(8)) == b"ab"
    with pytest.raises(UnreadableBatchError, match="more than"):
        DECODERS.gzip(gzip.compress(bytes(LIMIT)) + gzip.compress(b"b"))


def test_the_parsers_in_c_and_in_python_use_the_bounded_decoders() -> None:
    for module in (default_records, default_in_c):
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            assert getattr(module, f"{codec}_decode").__self__.__class__ is BoundedDecoders


def bomb(number: int, first: int, size: int) -> bytes:
    """A batch of one record of zeros."""
    raw = bytearray(batch([("zeros", bytes(size))], first=first, compression=number))
    raw[17:21] = crc32c_cython(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def offsets(records: FetchedRecords, limit: int) -> list[tuple[int, int, bool]]:
    """First and last offset of each record or unread batch, and whether it was read."""
    found: list[tuple[int, int, bool]] = []
    reached = records.next_fetch_offset
    while not records.exhausted:
        portion = records.take(limit)
        assert portion.start == reached
        reached = portion.next_offset
        found += [(each.offset, each.offset, True) for each in portion.records]
        if portion.unread is not None:
            assert not portion.records
            found.append((portion.unread.offset, portion.unread.last_offset, False))
    return found


@pytest.mark.parametrize("limit", [1, 2, 1_000])
@EACH
def test_a_batch_that_is_too_large_is_one_unread_batch_between_its_neighbours(
    encode, decode, number, limit: int
) -> None:
    raw = batch([], [], first=0) + bomb(number, 2, 2 * LIMIT) + batch([], first=3)

    assert offsets(fetched(raw), limit) == [(0, 0, True), (1, 1, True), (2, 2, False), (3, 3, True)]


def test_of_an_unread_batch_the_offsets_from_the_one_that_was_asked_for_on_are_named() -> None:
    records = [("zeros", bytes(LIMIT * 2 // 5))]
    raw = batch(records, records, records, first=4, compression=4)

    assert offsets(fetched(raw, at=5), 10) == [(5, 6, False)]


def test_a_batch_whose_bytes_are_damaged_under_a_right_checksum_is_one_unread_batch() -> None:
    raw = bytearray(batch(*[[("a", b"1" * 50)]] * 9, compression=4))
    raw[70:80] = bytes(10)
    raw[17:21] = crc32c_cython(bytes(raw[21:])).to_bytes(4, "big")
    portion = fetched(bytes(raw) + batch([], first=9)).take(10)

    assert portion.unread is not None
    assert not portion.unread.too_large
    assert (portion.unread.offset, portion.unread.last_offset) == (0, 8)
    assert "damaged" in portion.unread.detail


def test_the_records_before_a_damaged_one_are_read_and_the_rest_of_the_batch_is_not() -> None:
    raw = bytearray(batch([("a", b"1" * 50)], [("b", b"2" * 50)], [("c", b"3" * 50)]))
    second = raw.index(b"2" * 50)
    raw[second - 1] = 0x7F  # the length of a header's value: less than there is
    raw[17:21] = crc32c_cython(bytes(raw[21:])).to_bytes(4, "big")

    assert offsets(fetched(bytes(raw) + batch([], first=3)), 10) == [
        (0, 0, True),
        (1, 2, False),
        (3, 3, True),
    ]


def test_a_frame_that_asks_for_a_window_of_gigabytes_is_refused() -> None:
    packed = bytearray(cramjam.zstd.compress(bytes(1_000)))
    wide = b"\x28\xb5\x2f\xfd\x00\xff" + bytes(packed[6:])  # a window of 2 GB and more

    with pytest.raises(UnreadableBatchError):
        DECODERS.zstd(wide)


def test_bytes_behind_a_gzip_that_are_none_are_damage() -> None:
    with pytest.raises(UnreadableBatchError, match="damaged"):
        DECODERS.gzip(zlib.compress(b"no gzip"))
