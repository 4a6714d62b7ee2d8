"""Fills a read store from a source, in batches. A store that was not filled to the end is filled anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from stream.core.judgement.basis import Basis
from stream.page.entries import alert_entry, customer_entry, open_entries, profile_entry
from stream.page.sources.source import PageSource
from stream.page.store.store import Batch, ReadStore
from stream.wording.amounts import listed
from stream.wording.judged_by import other_bases

BATCH_ROWS = 2_000


def fill(store: ReadStore, source: PageSource) -> bool:
    """Bring the store to what the source says; False when it did so already."""
    if store.open_for(source.fingerprint):
        return False
    as_of_ms = source.as_of_ms()
    for batch in _customer_batches(source, as_of_ms):
        store.write(batch)
    others: dict[str, None] = {}
    alerts = iter(source.alerts())
    while sent := list(islice(alerts, BATCH_ROWS)):
        store.write(Batch(alerts=[alert_entry(alert) for alert in sent]))
        others |= dict.fromkeys(other_bases(sent, source.basis))
    store.finish(as_of_ms, [_other_basis_note(list(others), source.basis)] if others else [])
    return True


def _other_basis_note(others: list[str], basis: Basis) -> str:
    return (
        f"Some alerts were sent by {listed(others)}. This page looks at customers by policy "
        f"{basis.policy.id} ({basis.policy.hash}) and model {basis.model.version}: name those in force then "
        "with --policy and --model."
    )


def _customer_batches(source: PageSource, as_of_ms: int) -> Iterator[Batch]:
    profiles = iter(source.profiles())
    while chunk := list(islice(profiles, BATCH_ROWS)):
        yield Batch(
            customers=[customer_entry(profile, as_of_ms, source.basis) for profile in chunk],
            profiles=[profile_entry(profile) for profile in chunk],
            opened=[entry for profile in chunk for entry in open_entries(profile, as_of_ms, source.basis)],
        )
