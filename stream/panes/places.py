"""Where a click on a number of a pane leads: on the dashboard to the list of its customers, in a file nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stream.core.alerts.alert import rfc3339
from stream.core.calendar import Calendar

Places = Callable[[Mapping[str, str]], str]
"""From filters of the list of customers (`tier`, `campaign`, `channel`) to an address; empty: nowhere."""


def iso_day(at_ms: int, calendar: Calendar) -> str:
    """`2025-12-31`: the day of the business of an instant, as an address names it."""
    return rfc3339(calendar.local_ms(at_ms))[:10]


def nowhere(_: Mapping[str, str]) -> str:
    """Of a report in a file: it leads nowhere."""
    return ""
