"""Decompression with a bound: a batch of some kilobytes can hold gigabytes.

zstd and gzip shrink zeros a thousandfold and more, and a broker looks at the compressed size alone. aiokafka
decompresses a whole batch at once into memory that grows as needed. Here every codec writes into one piece of
memory of fixed size, so that what does not fit is known before it is there. (A page of that memory is taken
from the machine only when it is written to.)
"""

from __future__ import annotations

import mmap
import threading
import zlib
from collections.abc import Callable
from typing import Any

import cramjam
from aiokafka.codec import _detect_xerial_stream
from aiokafka.record import default_records, legacy_records

try:
    from aiokafka.record._crecords import default_records as default_in_c
    from aiokafka.record._crecords import legacy_records as legacy_in_c
except ImportError:  # AIOKAFKA_NO_EXTENSIONS
    default_in_c, legacy_in_c = default_records, legacy_records

TOO_SMALL = ("failed to write whole buffer", "output buffer")
"""How cramjam's errors begin or name the case that the output does not fit."""
XERIAL_HEADER_BYTES, SIZE_BYTES = 16, 4
GZIP_FORMAT = 16 + zlib.MAX_WBITS


class UnreadableBatchError(Exception):
    """A batch that cannot be decompressed. `too_large`: within the bound; else its bytes are damaged."""

    def __init__(self, text: str, *, too_large: bool) -> None:
        super().__init__(text)
        self.too_large = too_large


class BoundedDecoders:
    """The four codecs of Kafka. Each takes bytes and gives at most `bytes_max` of them."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._room = mmap.mmap(-1, bytes_max)
        self._one_at_a_time = threading.Lock()

    def zstd(self, data: Any) -> bytes:
        """See UnreadableBatchError for what these raise."""
        return self._into_room(cramjam.zstd.decompress_into, data)

    def lz4(self, data: Any) -> bytes:
        """A frame, as Kafka writes it."""
        return self._into_room(cramjam.lz4.decompress_into, data)

    def snappy(self, data: Any) -> bytes:
        """One block; or blocks with a header, as Java's library writes them."""
        if not _detect_xerial_stream(data):
            return self._into_room(cramjam.snappy.decompress_raw_into, data)
        view, at, found, size = memoryview(data), XERIAL_HEADER_BYTES, [], 0
        while at < len(view):
            end = at + SIZE_BYTES + int.from_bytes(view[at : at + SIZE_BYTES], "big")
            found.append(self._into_room(cramjam.snappy.decompress_raw_into, view[at + SIZE_BYTES : end]))
            size, at = size + len(found[-1]), end
            if size > self._bytes_max:
                raise self._too_large()
        return b"".join(found)

    def gzip(self, data: Any) -> bytes:
        """One member after the other."""
        found, left, size = [], bytes(data), 0
        try:
            while left:
                member = zlib.decompressobj(GZIP_FORMAT)
                found.append(member.decompress(left, self._bytes_max - size + 1))
                size += len(found[-1])
                if size > self._bytes_max:
                    raise self._too_large()
                if not member.eof:
                    raise UnreadableBatchError("its bytes are damaged: the end is missing", too_large=False)
                left = member.unused_data.lstrip(b"\0")
        except zlib.error as wrong:
            raise UnreadableBatchError(f"its bytes are damaged: {wrong}", too_large=False) from wrong
        return found[0] if len(found) == 1 else b"".join(found)

    def _into_room(self, decompress_into: Callable[[Any, Any], int], data: Any) -> bytes:
        with self._one_at_a_time:
            try:
                size = decompress_into(data, self._room)
            except cramjam.DecompressionError as wrong:
                if any(text in str(wrong) for text in TOO_SMALL):
                    raise self._too_large() from wrong
                raise UnreadableBatchError(f"its bytes are damaged: {wrong}", too_large=False) from wrong
            return self._room[:size]

    def _too_large(self) -> UnreadableBatchError:
        text = f"it holds more than {self._bytes_max:,} bytes when it is decompressed"
        return UnreadableBatchError(text, too_large=True)


def bound_decompression(bytes_max: int) -> None:
    """From now on aiokafka's parsers, in C and in Python, decompress at most `bytes_max` of a batch."""
    decoders = BoundedDecoders(bytes_max)
    for module in (default_records, legacy_records, default_in_c, legacy_in_c):
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            if hasattr(module, f"{codec}_decode"):
                setattr(module, f"{codec}_decode", getattr(decoders, codec))
