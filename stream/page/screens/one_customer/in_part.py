"""A customer whose page cannot be made in full: why, and what is known of them all the same.

Part of the stored profile cannot be read, or a rule of ours stumbles over it. Their alerts are rows of their
own, and what lists show needs only a part of the profile.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from stream.page.entries import CustomerEntry, customer_entry, unpacked
from stream.page.screens.not_counted import UNSEEN
from stream.page.screens.one_customer.alerts import EpisodeRow, episodes
from stream.page.screens.view import View, estimate, url
from stream.page.store.store import Reading
from stream.page.stored_profiles import read_for_lists, whole_profile
from stream.wording.amounts import count, share
from stream.wording.profile import STAGES

IN_PART = "whose stored row cannot be read in full"


class CustomerInPart(Struct, frozen=True):
    """All that the screen shows."""

    customer: str
    why: str
    is_left_out: bool
    """Whether lists and sums are without them already: the next round sees to it."""
    known: list[str]
    """Sentences; empty: nothing of the row can be read."""
    alerts: list[EpisodeRow]
    json_url: str
    """Empty where no profile is stored."""


def is_left_out(reading: Reading, customer: str) -> bool:
    """Whether lists are without a customer, as this program cannot look at them."""
    return bool(reading.rows("SELECT 1 FROM unseen WHERE customer = ?", [customer]))


def customer_in_part(reading: Reading, customer: str, view: View) -> CustomerInPart | None:
    """The screen of a customer of whom there is no whole one; None: the customer is not known."""
    reasons = reading.rows("SELECT reason FROM unseen WHERE customer = ?", [customer])
    bodies = reading.rows("SELECT body FROM profiles WHERE customer = ?", [customer])
    if not reasons and not bodies:
        return None
    entry = _entry(reading, customer, bytes(bodies[0][0]), view) if bodies else None
    in_full = not bodies or whole_profile(bodies[0][0]) is not None
    return CustomerInPart(
        customer=view.shown(customer),
        why=UNSEEN[reasons[0][0]] if reasons and in_full else IN_PART,
        is_left_out=bool(reasons),
        known=_known(entry, view) if entry is not None else [],
        alerts=episodes(reading, customer, view),
        json_url=url("/customer.json", {"id": view.shown(customer)}) if bodies else "",
    )


def _entry(reading: Reading, customer: str, body: bytes, view: View) -> CustomerEntry | None:
    """What lists would show of them, from the part of the profile that can be read."""
    columns = ", ".join(CustomerEntry.__struct_fields__)
    found = reading.rows(f"SELECT {columns} FROM customers WHERE customer = ?", [customer])
    if found:
        return CustomerEntry(*found[0])
    with suppress(Exception):  # whatever stumbled is in the log of the round that found it
        return customer_entry(read_for_lists(unpacked(body)), view.as_of_ms, view.basis)
    return None


def _known(entry: CustomerEntry, view: View) -> list[str]:
    stage = STAGES.get(entry.stage, entry.stage)
    move = view.tier_move(entry.tier_before, entry.tier, entry.tier_since_ms)
    lines = [f"Tier: {view.tier_name(entry.tier)}{f', {move}' if move else ''}. Stage: {stage}."]
    if not entry.orders:
        return [*lines, "They have not bought yet."]
    last = f"{view.date(entry.last_purchase_ms)}, {view.ago(entry.last_purchase_ms)}"
    paid = f"{estimate(entry.paid_minor, entry.currency)} paid less refunds"
    lines.append(f"{count(entry.orders, 'order')}, {paid}; the last one on {last}.")
    lines.append(f"The risk that they do not buy again: {share(entry.risk)}.")
    if entry.value_minor >= 0:
        lines.append(f"Profit to expect: {estimate(entry.value_minor, entry.currency)}.")
    return lines
