"""Which alerts are of customers who were erased, although they are read after the erasure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stream.core.units import DAY_MS
from stream.deliver.plan.head import AlertHead
from stream.deliver.queue.database import Database


def erased_among(database: Database, customers: Iterable[str]) -> dict[str, int]:
    """Of these customers those who were erased in the last week -> event time of the erasure."""
    wanted = sorted(set(customers))
    if not wanted or not database.rows("SELECT 1 FROM erased LIMIT 1"):
        return {}
    known_as = {name: customer for customer in wanted for name in names_of(database, customer)}
    marks = ", ".join("?" * len(known_as))
    found = database.rows(f"SELECT customer, at_ms FROM erased WHERE customer IN ({marks})", *known_as)
    return {known_as[name]: int(at_ms) for name, at_ms in found}


def names_of(database: Database, customer: str) -> list[str]:
    """What the table `erased` may call a customer; the first is what it calls them from now on. With a key
    that is a pseudonym, and only an entry of before the key was set has the id."""
    return [*database.pseudonyms.all_of(customer), customer]


def is_of_erased(head: AlertHead, erased: Mapping[str, int]) -> bool:
    """Whether an alert that is read after an erasure is of the time before it.

    An erasure may be dated before the last judgement, which is the time of a retraction. Nobody who comes
    back has an alert within a day, or the retraction of one within the week that `erased` remembers.
    """
    at_ms = erased.get(head.customer)
    return at_ms is not None and (head.at_ms <= at_ms + DAY_MS or head.state == "retracted")
