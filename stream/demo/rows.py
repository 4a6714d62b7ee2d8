"""Last rows of the profiles topic to what the summary tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from stream.worker.rows.row import StoredRow

ROW = msgspec.json.Decoder(StoredRow)


def tiers(rows: Mapping[bytes, bytes], names: tuple[str, ...]) -> Iterator[str]:
    """The tier of every customer there is: not of rows that hold something else, nor of the erased."""
    for value in rows.values():
        profile = ROW.decode(value).profile
        if profile is not None and not profile.erased_ms:
            yield names[profile.judgement.tier]
