"""Batches as a broker writes them, and as a fetch of the engine reads them."""

from __future__ import annotations

import struct

from aiokafka.record._crecords.cutil import crc32c_cython
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

from stream.engine.client_internals import FetchedRecords, RawRecords

READ_UNCOMMITTED, READ_COMMITTED = 0, 1


def batch(
    *headers: list[tuple[str, bytes]],
    first: int = 0,
    compression: int = 0,
    control: bool = False,
    producer: int = -1,
    key: bytes = b"",
) -> bytes:
    """Records of one batch. With a producer it is of a transaction; `key`: of every record."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2, compression_type=compression, is_transactional=int(control or producer >= 0),
        producer_id=producer, producer_epoch=-1, base_sequence=-1, batch_size=1 << 22,
    )  # fmt: skip
    for offset, each in enumerate(headers):
        name = key or b"k%d" % (first + offset)
        assert builder.append(offset, 1_000, name, b"v%d" % (first + offset), each)
    raw = bytearray(builder.build())
    raw[:8] = first.to_bytes(8, "big")  # not under the checksum, as the broker sets it
    if control:
        raw[22] |= 0x20
        raw[17:21] = crc32c_cython(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def fetched(raw: bytes, at: int = 0, check: bool = True) -> FetchedRecords:
    place = TopicPartition("events", 0)
    return FetchedRecords(place, RawRecords(raw), [], at, None, None, check, READ_UNCOMMITTED)


def marker(kind: int, producer: int, at: int) -> bytes:
    """The end of a transaction, as the broker writes it."""
    return batch([], first=at, control=True, producer=producer, key=struct.pack(">hh", 0, kind))
