"""The last rows of the profiles topic, for the summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stream.worker.rows.stored import read_row


def customer_tiers(rows: Mapping[bytes, bytes], names: tuple[str, ...]) -> Iterator[str]:
    """The name of each customer's tier; rows without a profile and erased customers are left out."""
    for value in rows.values():
        profile = read_row(value).profile
        if profile is not None and not profile.erased_ms:
            yield names[profile.judgement.tier]
