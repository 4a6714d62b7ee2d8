"""Facts of feedback: recent and usual sentiment, themes, NPS, and unresolved tickets; no texts."""

from __future__ import annotations

from bisect import insort

from msgspec import Struct, field
from msgspec.structs import replace

from stream.core.facts.decay import MOOD_HALF_LIFE_MS, TEMPER_HALF_LIFE_MS, weight
from stream.core.facts.months import add_to_month

TICKETS_KEPT = 32
NOTES_KEPT = 6
SENTIMENT_UNITS = 10_000
THEMES_KEPT = 24
PRIOR_WEIGHT = 0.5
"""Weight of a neutral opinion that every customer is taken to have given just now: half a piece of
feedback. So one lukewarm answer is not yet a mood, and a mood fades when no more feedback comes in."""


class Note(Struct, array_like=True, order=True, gc=False):
    """One piece of feedback, without its text."""

    at_ms: int
    event_id: str
    sentiment: float
    """-1 to 1."""


class Theme(Struct, array_like=True, gc=False):
    """Feedback about one theme."""

    praised: int = 0
    blamed: int = 0
    weight: float = 0.0
    """Pieces of feedback, forward-decayed with a half-life of 45 days (decay.py)."""
    polarity: float = 0.0
    """Sum of their polarities (each -1 to 1), decayed in the same way."""


class Feedback(Struct, omit_defaults=True, gc=False):
    """All feedback of a customer, as numbers. Instants: epoch ms, 0: never."""

    count: int = 0
    """Pieces of feedback that have a sentiment."""
    sentiment_sum: float = 0.0
    """Sum of their sentiments (each -1 to 1)."""
    mood_weight: float = 0.0
    """Pieces of feedback, forward-decayed with a half-life of 45 days (decay.py)."""
    mood_sum: float = 0.0
    """Recent sentiment: sum of sentiments, decayed in the same way."""
    temper_weight: float = 0.0
    """Pieces of feedback, forward-decayed with a half-life of 365 days."""
    temper_sum: float = 0.0
    """Usual sentiment: sum of sentiments, decayed in the same way."""
    reviews: int = 0
    complaints: int = 0
    last_at_ms: int = 0
    """The last feedback of any kind."""
    reviewed_at_ms: int = 0
    """The last review."""
    nps_at_ms: int = 0
    """The last answer to an NPS survey."""
    nps: float = -1.0
    """That answer, 0 to 10; -1: none."""
    opened: dict[str, int] = field(default_factory=dict)
    """Ticket or complaint -> when it was opened."""
    resolved: dict[str, int] = field(default_factory=dict)
    """Ticket or complaint -> when it was resolved."""
    themes: dict[str, Theme] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    """The latest pieces of feedback, in order of time."""
    month_counts: list[int] = field(default_factory=list)
    """Pieces of feedback that have a sentiment by month, a series of the last 25 months (months.py)."""
    month_sentiment: list[int] = field(default_factory=list)
    """Sums of their sentiments by month, in ten-thousandths: whole numbers are the same in any order."""

    def copy(self) -> Feedback:
        """An independent copy; notes are never changed in place, so both have the same ones."""
        return replace(
            self,
            opened=self.opened.copy(),
            resolved=self.resolved.copy(),
            themes={name: replace(theme) for name, theme in self.themes.items()},
            notes=self.notes[:],
            month_counts=self.month_counts[:],
            month_sentiment=self.month_sentiment[:],
        )


def with_opinion(
    feedback: Feedback,
    at_ms: int,
    event_id: str,
    sentiment: float | None,
    themes: tuple[tuple[str, float], ...],
    *,
    month: int,
) -> None:
    """Add one review, survey answer, ticket or complaint.

    `sentiment` is -1 to 1; None: it has none. `themes`: each with its polarity, -1 to 1. `month`: months
    since January 1970 on the calendar of the business.
    """
    if at_ms > feedback.last_at_ms:
        feedback.last_at_ms = at_ms
    mood = weight(at_ms, MOOD_HALF_LIFE_MS)
    for name, polarity in themes:
        _with_theme(feedback, name, polarity, mood)
    if sentiment is None:
        return
    temper = weight(at_ms, TEMPER_HALF_LIFE_MS)
    feedback.count += 1
    feedback.sentiment_sum += sentiment
    feedback.mood_weight += mood
    feedback.mood_sum += mood * sentiment
    feedback.temper_weight += temper
    feedback.temper_sum += temper * sentiment
    note_sentiment(feedback, month, sentiment)
    insort(feedback.notes, Note(at_ms, event_id, sentiment))
    if len(feedback.notes) > NOTES_KEPT:
        del feedback.notes[0]


def note_sentiment(feedback: Feedback, month: int, sentiment: float) -> None:
    """Count a piece of feedback in its month."""
    add_to_month(feedback.month_counts, month, 1)
    add_to_month(feedback.month_sentiment, month, round(sentiment * SENTIMENT_UNITS))


def with_nps(feedback: Feedback, at_ms: int, score: float) -> None:
    """The latest answer (0 to 10) counts; of two at one instant the lower one."""
    if at_ms > feedback.nps_at_ms or (at_ms == feedback.nps_at_ms and score < feedback.nps):
        feedback.nps_at_ms, feedback.nps = at_ms, score


def with_ticket(feedback: Feedback, at_ms: int, ticket_id: str) -> None:
    """A ticket or complaint was opened; the first opening counts."""
    _note_first(feedback.opened, ticket_id, at_ms)


def with_resolution(feedback: Feedback, at_ms: int, ticket_id: str) -> None:
    """A ticket or complaint was resolved; its opening may be known already or arrive later."""
    _note_first(feedback.resolved, ticket_id, at_ms)


def oldest_unresolved_ms(feedback: Feedback) -> int | None:
    """When the oldest unresolved ticket or complaint was opened; None if all are resolved."""
    if not feedback.opened:
        return None
    resolved = feedback.resolved
    return min([at_ms for ticket, at_ms in feedback.opened.items() if ticket not in resolved], default=None)


def mood(feedback: Feedback, as_of_ms: int) -> float:
    """Recent sentiment (half-life 45 days), -1 to 1; it fades towards 0 when no more feedback comes in."""
    return feedback.mood_sum / (feedback.mood_weight + PRIOR_WEIGHT * weight(as_of_ms, MOOD_HALF_LIFE_MS))


def temper(feedback: Feedback, as_of_ms: int) -> float:
    """The customer's usual sentiment (half-life 365 days), -1 to 1."""
    return feedback.temper_sum / (
        feedback.temper_weight + PRIOR_WEIGHT * weight(as_of_ms, TEMPER_HALF_LIFE_MS)
    )


def blamed_themes(feedback: Feedback, as_of_ms: int) -> list[str]:
    """Themes of recent bad feedback (decayed polarity below -0.05), worst first."""
    now = weight(as_of_ms, MOOD_HALF_LIFE_MS)
    scores = [(theme.polarity / now, name) for name, theme in feedback.themes.items() if theme.polarity < 0.0]
    return [name for polarity, name in sorted(scores) if polarity < -0.05]


def _with_theme(feedback: Feedback, name: str, polarity: float, mood_weight: float) -> None:
    theme = feedback.themes.get(name)
    if theme is None:
        if len(feedback.themes) >= THEMES_KEPT:
            return
        theme = feedback.themes[name] = Theme()
    if polarity > 0.0:
        theme.praised += 1
    elif polarity < 0.0:
        theme.blamed += 1
    theme.weight += mood_weight
    theme.polarity += mood_weight * polarity


def _note_first(times: dict[str, int], ticket_id: str, at_ms: int) -> None:
    times[ticket_id] = min(times.get(ticket_id, at_ms), at_ms)
    if len(times) > TICKETS_KEPT:
        del times[min(times, key=lambda ticket: (times[ticket], ticket))]
