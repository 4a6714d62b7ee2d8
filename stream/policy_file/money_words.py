"""What is said of customers whose money is in several currencies, with the remedy in the policy file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stream.core.facts.sums import Sums
from stream.core.judgement.ranking import is_ranked

CURRENCIES_NAMED = 6
"""So many currencies are named one by one."""


class Foreign(NamedTuple):
    """Events whose money is in another currency than it would have to be added to, or taken off from."""

    orders: int = 0
    """In another currency than the first order of their customer."""
    refunds: int = 0
    """In another currency than their order."""


NOTHING_FOREIGN = Foreign()


def foreign_money(everybody: Iterable[Sums]) -> Foreign:
    """All of them, in the sums of some customers."""
    orders = refunds = 0
    for sums in everybody:
        orders += sums.foreign_orders
        refunds += sums.foreign_refunds
    return Foreign(orders, refunds)


def foreign_of_all(parts: Iterable[Foreign]) -> Foreign:
    """Their sum: of all customers from those of parts of them."""
    several = list(parts)
    return Foreign(sum(one.orders for one in several), sum(one.refunds for one in several))


def currency_notes(
    customers: Mapping[str, int], ranking: str, finance_currency: str, foreign: Foreign
) -> list[str]:
    """What is to be said of customers by currency, in sentences; nothing where all pay in one that counts.

    `customers`: currency -> customers who bought. `ranking`: the currency in which they are ranked, or empty;
    `finance_currency`: that of the policy, or empty.
    """
    others = {code: count for code, count in customers.items() if not is_ranked(code, ranking)}
    notes = []
    if others:
        notes.append(not_ranked_words(others, ranking, finance_currency))
    elif not ranking and len(customers) > 1:
        notes.append(compared_words(customers))
    if any(foreign):
        notes.append(foreign_words(foreign, finance_currency))
    return notes


def not_ranked_words(not_ranked: Mapping[str, int], ranking: str, finance_currency: str) -> str:
    """One sentence on customers who are left out of all that is reckoned in money, with the remedy.

    `not_ranked`: currency -> customers, not empty. `ranking` is the currency in which the others are ranked,
    `finance_currency` that of the policy, or empty.
    """
    count = sum(not_ranked.values())
    who = "1 customer pays" if count == 1 else f"{count:,} customers pay"
    remedy = "name" if finance_currency else f'name currency = "{ranking}" and'
    return (
        f"{who} in another currency than {ranking} ({_counted(not_ranked)}): they are not ranked, and their "
        f"money is not added; {remedy} rates for them in [finance] of the policy."
    )


def foreign_words(foreign: Foreign, finance_currency: str) -> str:
    """One sentence on orders and refunds whose money is in no sum."""
    subject = f"Orders in another currency than the first one of their customer: {foreign.orders:,}"
    if foreign.refunds:
        subject += f"; refunds in another than their order: {foreign.refunds:,}"
    remedy = "rates" if finance_currency else "a currency and rates"
    return f"{subject}. They count, but their money does not; name {remedy} in [finance] of the policy."


def compared_words(customers: Mapping[str, int]) -> str:
    """One sentence on customers in several currencies whom a model ranks as if they all paid in the same.

    `customers`: currency -> customers; only the model that is shipped does so.
    """
    return (
        f"Customers pay in {len(customers)} currencies ({_counted(customers)}), and the shipped model "
        'compares their amounts as if they were in one: name currency = "..." and rates in [finance] of the '
        "policy, or fit a model."
    )


def _counted(customers: Mapping[str, int]) -> str:
    """`12 in KWD, 3 in GBP`, most first."""
    ordered = sorted(customers.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{count:,} in {code}" for code, count in ordered[:CURRENCIES_NAMED])
    return named + (", ..." if len(ordered) > CURRENCIES_NAMED else "")
