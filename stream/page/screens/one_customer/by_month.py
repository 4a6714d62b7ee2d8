"""What a customer did by month: money, activity in each channel, mood; and the themes of their feedback."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from stream.core.facts.feedback import SENTIMENT_UNITS
from stream.core.facts.months import MONTHS_KEPT, by_month
from stream.core.facts.profile import Profile
from stream.core.units import calendar_month
from stream.look.months import Months
from stream.page.screens.view import View
from stream.wording.amounts import count, money, month_of_year, month_text, sentiment_word

THEMES_SHOWN_MAX = 8


class MonthRow(Struct, frozen=True):
    """One series with its name and what is said of the whole of it."""

    name: str
    series: Months
    words: str


class ThemeRow(Struct, frozen=True):
    """What they say about one theme."""

    name: str
    praised: int
    blamed: int
    lately: str


def money_by_month(profile: Profile, view: View) -> MonthRow | None:
    """Money paid less refunds, and the number of orders."""
    sums, currency = profile.buying.sums, profile.buying.currency
    paid, orders = by_month(sums.month_minor), by_month(sums.month_orders)
    if not orders:
        return None

    def words(month: int) -> str:
        return f"{money(paid.get(month, 0), currency)} in {count(orders.get(month, 0), 'order')}"

    series = _series("Paid less refunds, by month", paid, words, view)
    return MonthRow("paid, less refunds", series, _span_words(series))


def channels_by_month(profile: Profile, view: View) -> list[MonthRow]:
    """Activities (visits, opened and clicked messages) in each channel, the busiest first."""
    rows: list[tuple[int, MonthRow]] = []
    for name, channel in profile.engagement.channels.items():
        found = by_month(channel.months)
        if not found:
            continue

        def words(month: int, found: Mapping[int, int] = found) -> str:
            return count(found.get(month, 0), "activity", "activities")

        series = _series(f"Activities in {name}, by month", found, words, view)
        total = sum(found.values())
        last = f"last on {view.date(channel.last_at_ms)}" if channel.last_at_ms else ""
        rows.append((total, MonthRow(name, series, f"{count(total, 'activity', 'activities')}, {last}")))
    return [row for _, row in sorted(rows, key=lambda each: (-each[0], each[1].name))]


def mood_by_month(profile: Profile, view: View) -> MonthRow | None:
    """Mean sentiment of the feedback of each month, -1 to 1; None where there was none."""
    feedback = profile.feedback
    counts, sums = by_month(feedback.month_counts), by_month(feedback.month_sentiment)
    means = {
        month: sums.get(month, 0) / SENTIMENT_UNITS / number for month, number in counts.items() if number
    }
    if not means:
        return None

    def words(month: int) -> str:
        pieces = count(counts[month], "piece")
        return f"{sentiment_word(means[month])} ({means[month]:+.1f}), {pieces} of feedback"

    series = _series("Mood by month, from -1 to 1", means, words, view, bound=1.0)
    return MonthRow("mood", series, f"{count(feedback.count, 'piece')} of feedback in all")


def themes(profile: Profile) -> list[ThemeRow]:
    """The themes that they spoke of most lately."""
    found = sorted(profile.feedback.themes.items(), key=lambda each: (-each[1].weight, each[0]))
    return [
        ThemeRow(
            name,
            theme.praised,
            theme.blamed,
            sentiment_word(theme.polarity / theme.weight) if theme.weight else "",
        )
        for name, theme in found[:THEMES_SHOWN_MAX]
    ]


def _series(
    label: str,
    found: Mapping[int, float],
    words: Callable[[int], str],
    view: View,
    *,
    bound: float = 0.0,
) -> Months:
    """The last 25 months up to the present one; a month without anything is empty."""
    last = calendar_month(view.calendar.local_day(view.as_of_ms))
    first = max(last - MONTHS_KEPT + 1, min(found))
    shown = [
        (month_name(month), found.get(month), words(month) if month in found else "nothing")
        for month in range(first, last + 1)
    ]
    return Months(f"{label}, {month_name(first)} to {month_name(last)}", shown, bound)


def _span_words(series: Months) -> str:
    return f"{series.values[0][0]} to {series.values[-1][0]}" if series.values else ""


def month_name(month: int) -> str:
    """`March 2026` of months since January 1970."""
    return month_of_year(month_text(month))
