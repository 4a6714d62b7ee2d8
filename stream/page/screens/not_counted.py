"""What today's numbers leave out, in one line: records put aside, and money that cannot be compared."""

from __future__ import annotations

from collections import Counter

from stream.page.cells import NOT_PRICED
from stream.page.entries import NEWER_ROW, OTHER_MEANING, OUR_FAULT, UNREADABLE_ROW
from stream.page.screens.counts import counted
from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.wording.amounts import count

REASONS = {
    "missing_key": "without a key",
    "key_mismatch": "under the key of another customer",
    "wrong_partition": "in the wrong partition",
    "wrong_topic": "on the wrong topic",
    "null_value": "empty",
    "empty_value": "empty",
    "too_large": "too large",
    "batch_too_large": "too large",
    "time_in_future": "dated in the future",
    "time_out_of_range": "of an impossible time",
    "unreadable_alert": "alerts that cannot be read",
    "row_unreadable": "rows that a worker could not read",
}
UNSEEN = {
    UNREADABLE_ROW: "whose stored row cannot be read",
    NEWER_ROW: "whose row a later version of this program has stored",
    OTHER_MEANING: "whose row is stored under another zone or currency",
    OUR_FAULT: "whom this program cannot look at (a fault of ours; its log says more)",
}
"""Why a customer is left out: `3 customers whose stored row cannot be read`."""
UNFIT = "not as the contract says"
"""For every other reason: the fields or the text of the event are wrong."""


def not_counted_today(reading: Reading, view: View) -> str:
    """The sentence; empty where everything was counted."""
    today = view.basis.meaning.calendar.local_day(view.as_of_ms)
    by_words: Counter[str] = Counter()
    for reason, many in reading.rows(
        "SELECT reason, SUM(count) FROM not_counted WHERE day >= ? GROUP BY reason", [today]
    ):
        by_words[REASONS.get(reason, UNFIT)] += int(many)
    parts = [f"{many:,} {words}" for words, many in by_words.most_common()]
    found = []
    if parts:
        found.append(f"{count(by_words.total(), 'record')} ({'; '.join(parts)})")
    found += _unseen(reading) + _money(reading)
    return f"Not counted today: {', '.join(found)}." if found else ""


def _unseen(reading: Reading) -> list[str]:
    """Customers who are there, and cannot be looked at."""
    found: dict[str, int] = dict(reading.rows("SELECT reason, COUNT(*) FROM unseen GROUP BY reason"))
    return [f"{count(found[why], 'customer')} {words}" for why, words in UNSEEN.items() if why in found]


def _money(reading: Reading) -> list[str]:
    """Customers who are counted, but whose money is not."""
    tiers = counted(reading, ("tier",), "value_step = ?", [NOT_PRICED])
    unranked = sum(many for tier, many, _ in tiers if tier < 0)
    unpriced = sum(many for tier, many, _ in tiers if tier >= 0)
    found = []
    if unranked:
        found.append(f"the money of {count(unranked, 'customer')} in a currency without a rate")
    if unpriced:
        found.append(f"the orders of {count(unpriced, 'customer')} without any price")
    return found
