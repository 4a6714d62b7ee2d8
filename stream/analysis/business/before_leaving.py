"""What preceded the leaving of customers of each tier, beside the same of those who stayed: fewer purchases,
trouble, bad mood, no more activity.

It counts and compares nothing by tests: what goes with leaving more than by chance is found by drivers.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from stream.analysis.business.incidents import LEFT_AFTER_DAYS
from stream.analysis.business.ledger import Ledger
from stream.analysis.business.left import compared, have_left, tiers_while_active
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.history import Snapshot

WINDOW_DAYS = 90
"""Purchases of the last 90 days of buying are compared with those of the 90 days before; trouble counts that
came within 90 days."""
TROUBLE_BEFORE_DAYS = WINDOW_DAYS - int(LEFT_AFTER_DAYS)
"""Trouble of those who left counts from so many days before their last purchase until they counted as having
left."""


@dataclass
class Preceding:
    """Customers who left, or who stayed: of how many something is known, and of how many it is so."""

    customers: int = 0
    slower: int = 0
    """Bought on fewer days in the last 90 days up to their last purchase than in the 90 days before."""
    slower_known: int = 0
    """Whose first purchase was early enough to tell."""
    troubled: int = 0
    """To whom something went wrong within 90 days."""
    troubles: dict[str, int] = field(default_factory=dict)
    """What went wrong -> customers."""
    unhappy: int = 0
    """Whose feedback within the 90 days was bad on average."""
    unhappy_known: int = 0
    """Who gave feedback in them."""
    active_after: int = 0
    """Who did something, such as a visit, after the day of their last purchase."""


def before_leaving(ledger: Ledger, snapshot: Snapshot, policy: Policy) -> list[dict[str, object]]:
    """For each tier, the lowest first: its name, and `left` and `stayed`, each as the fields of Preceding.

    The tier is that while customers still bought.
    """
    known = compared(snapshot)
    left, tiers = have_left(known), tiers_while_active(known, policy)
    found = [(Preceding(), Preceding()) for _ in policy.ladder.steps]
    for customer, is_gone, rank in zip(known.customers, left.tolist(), tiers.tolist(), strict=True):
        _see(found[rank][0 if is_gone else 1], ledger, customer, snapshot.as_of_ms // DAY_MS, is_gone=is_gone)
    return [
        {"tier": step.name, "left": asdict(gone), "stayed": asdict(others)}
        for step, (gone, others) in zip(policy.ladder.steps, found, strict=True)
    ]


def _see(seen: Preceding, ledger: Ledger, customer: str, today: int, *, is_gone: bool) -> None:
    days = sorted({at_ms // DAY_MS for at_ms in ledger.history.orders.get(customer, {}).values()})
    days = [day for day in days if day <= today]
    if not days:
        return
    last = days[-1]
    seen.customers += 1
    if last - days[0] + 1 >= 2 * WINDOW_DAYS:
        seen.slower_known += 1
        seen.slower += _in(days, last, WINDOW_DAYS) < _in(days, last - WINDOW_DAYS, WINDOW_DAYS)
    until = last + int(LEFT_AFTER_DAYS) if is_gone else today
    troubles = {
        name
        for at_ms, name in ledger.incidents.get(customer, ())
        if until - WINDOW_DAYS < at_ms // DAY_MS <= until
    }
    seen.troubled += bool(troubles)
    for name in sorted(troubles):
        seen.troubles[name] = seen.troubles.get(name, 0) + 1
    _see_profile(seen, ledger, ledger.history.profiles[customer], last, until)


def _see_profile(seen: Preceding, ledger: Ledger, profile: Profile, last: int, until: int) -> None:
    calendar = ledger.history.calendar
    moods = [
        note.sentiment
        for note in profile.feedback.notes
        if until - WINDOW_DAYS < calendar.local_day(note.at_ms) <= until
    ]
    if moods:
        seen.unhappy_known += 1
        seen.unhappy += sum(moods) < 0
    engaged_ms = profile.engagement.last_at_ms
    seen.active_after += bool(engaged_ms) and calendar.local_day(engaged_ms) > last


def _in(days: Sequence[int], last: int, window: int) -> int:
    """How many of the days are within the window that ends with `last`."""
    return sum(last - window < day <= last for day in days)


def recorded(profiles: Iterable[Profile]) -> dict[str, bool]:
    """Which kinds of events there are beside purchases: what none is recorded of can be no reason."""
    found = dict.fromkeys(("visits", "messages", "feedback", "tickets", "refunds"), False)
    for one in profiles:
        engagement, feedback = one.engagement, one.feedback
        found["visits"] |= bool(engagement.sessions or engagement.viewed_at_ms or engagement.added_at_ms)
        found["messages"] |= any(each.opened or each.clicked for each in engagement.channels.values())
        found["feedback"] |= bool(feedback.reviewed_at_ms or feedback.nps_at_ms)
        found["tickets"] |= bool(feedback.opened)
        found["refunds"] |= bool(one.buying.sums.refunded_minor)
    return found
