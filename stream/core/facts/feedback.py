"""Facts of feedback: mood now and temper over the years, themes, promoters, and what is still unresolved."""

from __future__ import annotations

from bisect import insort

from msgspec import Struct, field

from stream.core.facts.decay import MOOD_HALF_LIFE_MS, TEMPER_HALF_LIFE_MS, weight

TICKETS_KEPT = 32
NOTES_KEPT = 6
THEMES_KEPT = 24
PRIOR_WEIGHT = 0.5  # half an opinion at zero: one lukewarm word is not a mood, and moods fade with silence


class Note(Struct, array_like=True, order=True, gc=False):
    """One piece of feedback, by its event: never its text."""

    at_ms: int
    event_id: str
    sentiment: float


class Theme(Struct, array_like=True, gc=False):
    """How often a theme was praised and blamed, and its forward-decayed polarity."""

    praised: int = 0
    blamed: int = 0
    weight: float = 0.0
    polarity: float = 0.0


class Feedback(Struct, omit_defaults=True, gc=False):
    """Everything a customer said, as numbers."""

    count: int = 0
    sentiment_sum: float = 0.0
    mood_weight: float = 0.0
    mood_sum: float = 0.0
    temper_weight: float = 0.0
    temper_sum: float = 0.0
    reviews: int = 0
    complaints: int = 0
    last_at_ms: int = 0
    reviewed_at_ms: int = 0
    nps_at_ms: int = 0
    nps: float = -1.0
    opened: dict[str, int] = field(default_factory=dict)
    resolved: dict[str, int] = field(default_factory=dict)
    themes: dict[str, Theme] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def with_opinion(
    feedback: Feedback,
    at_ms: int,
    event_id: str,
    sentiment: float | None,
    themes: tuple[tuple[str, float], ...],
) -> None:
    """Fold in what one review, answer, ticket or complaint said (-1 to 1); None says nothing of the mood."""
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
    insort(feedback.notes, Note(at_ms, event_id, sentiment))
    if len(feedback.notes) > NOTES_KEPT:
        del feedback.notes[0]


def with_nps(feedback: Feedback, at_ms: int, score: float) -> None:
    """The latest answer on 0 to 10 counts; of two at one instant the lower."""
    if at_ms > feedback.nps_at_ms or (at_ms == feedback.nps_at_ms and score < feedback.nps):
        feedback.nps_at_ms, feedback.nps = at_ms, score


def with_ticket(feedback: Feedback, at_ms: int, ticket_id: str) -> None:
    """A ticket or complaint was opened; the first opening counts."""
    _note_first(feedback.opened, ticket_id, at_ms)


def with_resolution(feedback: Feedback, at_ms: int, ticket_id: str) -> None:
    """A ticket was settled, whether its opening is known already or comes later."""
    _note_first(feedback.resolved, ticket_id, at_ms)


def oldest_unresolved_ms(feedback: Feedback) -> int | None:
    """When the longest open ticket or complaint was opened; None when all are settled."""
    if not feedback.opened:
        return None
    resolved = feedback.resolved
    return min([at_ms for ticket, at_ms in feedback.opened.items() if ticket not in resolved], default=None)


def mood(feedback: Feedback, as_of_ms: int) -> float:
    """Recent sentiment, -1 to 1; it fades towards 0 when nothing more is said."""
    return feedback.mood_sum / (feedback.mood_weight + PRIOR_WEIGHT * weight(as_of_ms, MOOD_HALF_LIFE_MS))


def temper(feedback: Feedback, as_of_ms: int) -> float:
    """The customer's own usual sentiment over the past year or so, -1 to 1."""
    return feedback.temper_sum / (
        feedback.temper_weight + PRIOR_WEIGHT * weight(as_of_ms, TEMPER_HALF_LIFE_MS)
    )


def blamed_themes(feedback: Feedback, as_of_ms: int) -> list[str]:
    """Themes whose recent polarity is negative, worst first."""
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
