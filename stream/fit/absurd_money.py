"""Customers whose money cannot be true: they are set aside from every study, and named.

An order may state up to 2 ** 53 - 1 minor units. A producer that once sends that (a wrong unit, a test) would
else be half of all spending: tiers, values and campaigns would follow from one customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stream.core.events.event import Event, PurchaseCompleted
from stream.core.facts.profile import Profile

MONEY_MAX_MINOR = 10**13
"""Of one order, and of one of its lines: 100 billion dollars, 6 million dollars in rupiah."""
NAMED_MAX = 5
"""So many customers are named one by one."""


def is_absurd(event: Event) -> bool:
    """Whether an event is a purchase for more money than any is made for."""
    if type(event) is not PurchaseCompleted:
        return False
    order = event.data
    return order.total_minor > MONEY_MAX_MINOR or any(
        line.quantity * line.price_minor > MONEY_MAX_MINOR for line in order.products
    )


def absurd_customers(profiles: Mapping[str, Profile]) -> list[str]:
    """The customers, by id, whose profile holds such an order, or days of such orders."""
    return sorted(customer for customer, profile in profiles.items() if _is_absurd_profile(profile))


def _is_absurd_profile(profile: Profile) -> bool:
    buying = profile.buying
    most = max((order.total_minor for order in buying.orders), default=0)
    mean = buying.sums.gross_minor / buying.sums.orders if buying.sums.orders else 0
    return max(most, mean, profile.interests.unit_price_max_minor) > MONEY_MAX_MINOR


def set_aside_words(customers: Iterable[str]) -> str:
    """The line that names them: `2 customers are left out, ...: c-1, c-2`."""
    names = sorted(customers)
    more = f" and {len(names) - NAMED_MAX:,} more" if len(names) > NAMED_MAX else ""
    whose = "1 customer is" if len(names) == 1 else f"{len(names):,} customers are"
    return (
        f"{whose} left out, with an order of more than {MONEY_MAX_MINOR:,} minor units (a wrong unit?): "
        f"{', '.join(map(repr, names[:NAMED_MAX]))}{more}"
    )
