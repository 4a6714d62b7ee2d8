"""How long a customer has bought nothing, in words, beside their rhythm or the months in which they buy."""

from __future__ import annotations

from stream.core.alerts.alert import Evidence
from stream.core.alerts.amounts import days, every, month_names, month_of_year


def silent_words(reason: Evidence, money_in: str) -> str:
    """Of who is late: beyond their usual gap, or in no month of those in which they mostly buy."""
    if reason.months:
        missed = f"{_mostly_buys(reason)}, but did not the last time"
        return f"{missed}; has bought nothing for {days(reason.observed)}"
    if reason.baseline is None:
        return f"bought only once, {days(reason.observed)} ago"
    return f"usually buys {every(reason.baseline)}, has bought nothing for {days(reason.observed)}"


def not_yet_late_words(reason: Evidence, money_in: str) -> str:
    """Of who is not late yet."""
    if reason.months:
        again = f"; expected again in {month_of_year(reason.expected)}" if reason.expected else ""
        return f"{_mostly_buys(reason)}, last bought {days(reason.observed)} ago{again}"
    if reason.baseline is None:
        return f"bought on one day only, {days(reason.observed)} ago"
    return f"last bought {days(reason.observed)} ago, usually buys {every(reason.baseline)}"


def _mostly_buys(reason: Evidence) -> str:
    return f"buys mostly in {month_names([number - 1 for number in reason.months])}"
