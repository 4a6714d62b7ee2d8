"""What is known of a customer is given out as JSON, also where a record holds what is no JSON."""

from __future__ import annotations

import msgspec
import pytest

from stream.privacy.known import _record, json_text


class Kept:
    """A record as a dead letter may be: rejected whole, and kept as it came."""

    def __init__(self, value: bytes | None, key: bytes | None = b"zoe") -> None:
        self._value, self._key = value, key

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return [("ce_subject", b"zoe")]


@pytest.mark.parametrize(
    ("value", "given"),
    [
        (b'{"subject": "zoe", "n": 1.5}', {"subject": "zoe", "n": 1.5}),
        (b'{"subject": "z\\ud800oe"}', '{"subject": "z\\ud800oe"}'),
        (b'{"n": NaN}', '{"n": NaN}'),
        (b'{"n": 1e999}', '{"n": 1e999}'),
        (b"[" * 100_000, "[" * 100_000),
        (b'{"n": %b}' % (b"9" * 5_000), '{"n": %s}' % ("9" * 5_000)),
        (b"\xff\x00", "hex:ff00"),
        (b"no JSON \xed\xa0\x80", "hex:" + b"no JSON \xed\xa0\x80".hex()),
        (b"", ""),
        (None, None),
    ],
)
def test_a_record_of_any_content_is_given_out_json_text_that_every_program_reads(value, given):
    written = json_text({"topics": {"t": [_record(Kept(value))]}}).encode()

    (record,) = msgspec.json.decode(written)["topics"]["t"]
    assert record["value"] == given
    assert (record["partition"], record["offset"], record["key"]) == (3, 7, "zoe")


@pytest.mark.parametrize("key", [b'{"a": "\\udc00"}', b"[NaN]", b"\xed\xa0\x80", b""])
def test_so_is_a_key(key):
    written = json_text(_record(Kept(b"{}", key))).encode()

    assert msgspec.json.decode(written)["key"] is not None
