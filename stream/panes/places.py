"""Where a click on a number of a pane leads: on the dashboard to the list of its customers, in a file nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Places = Callable[[Mapping[str, str]], str]
"""From filters of the list of customers (`tier`, `campaign`, `channel`) to an address; empty: nowhere."""


def nowhere(_: Mapping[str, str]) -> str:
    """Of a report in a file: it leads nowhere."""
    return ""
