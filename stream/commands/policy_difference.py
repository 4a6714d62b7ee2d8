"""Whom only one of two policies alerts about, as text and as JSON."""

from __future__ import annotations

from stream.core.calendar import Calendar
from stream.replay.policy_diff import AlertDifference
from stream.wording.alert import ALERT_NAMES, because
from stream.wording.amounts import date, days


def difference_lines(
    found: list[AlertDifference], sides: list[tuple[str, Calendar]], limit: int
) -> list[str]:
    """Whom only one of two policies alerts about, by kind; `sides`: name and calendar of each."""
    (a, days_of_a), (b, days_of_b) = sides
    lines: list[str] = []
    for each in found:
        later = each.b_later_days
        when = "" if later is None else f"; {b} alerts {_when(later)}"
        lines += ["", f"{ALERT_NAMES[each.kind]}: {each.both:,} customers under both policies{when}"]
        for name, alerts, calendar in ((a, each.only_a, days_of_a), (b, each.only_b, days_of_b)):
            lines.append(f"  only under {name}: {len(alerts):,}")
            lines += [
                f"    {date(alert.time, calendar)} {alert.subject}: {because(alert, calendar)}"
                for alert in alerts[:limit]
            ]
            if len(alerts) > limit:
                lines.append(f"    and {len(alerts) - limit:,} more")
    return lines


def kinds_as_json(found: list[AlertDifference]) -> dict[str, dict[str, object]]:
    """The customers whom only one of two policies alerts about, by kind."""
    return {
        each.kind: {
            "both": each.both,
            "b_later_days": each.b_later_days,
            "only_a": [alert.subject for alert in each.only_a],
            "only_b": [alert.subject for alert in each.only_b],
        }
        for each in found
    }


def _when(later: float) -> str:
    if abs(later) < 1:
        return "at about the same time"
    return f"{days(abs(later))} {'later' if later > 0 else 'earlier'} (median)"
