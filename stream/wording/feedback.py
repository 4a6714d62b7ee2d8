"""What a customer said, in plain words: as numbers and topics, never in their own words."""

from __future__ import annotations

from stream.core.calendar import Calendar
from stream.core.facts.feedback import Feedback, blamed_themes, oldest_unresolved_ms
from stream.core.judgement.standing import Standing
from stream.wording.alert import SCALE
from stream.wording.amounts import count, date, days, lasted_days, listed, sentiment_word

NPS_PROMOTER, NPS_PASSIVE = 9, 7
"""Answers on the scale from 0 to 10 from which a customer is a promoter, or passive; below: a detractor."""


def feedback_lines(feedback: Feedback, now: Standing, calendar: Calendar) -> list[str]:
    """Their feedback as numbers and topics, never in their own words."""
    lines = []
    if feedback.count:
        usual = feedback.temper_sum / feedback.temper_weight
        lines.append(
            f"Gave feedback {_times(feedback.count)}: recently {sentiment_word(now.opinion)} "
            f"({now.opinion:+.1f} {SCALE}), usually {sentiment_word(usual)} ({usual:+.1f})."
        )
    if feedback.nps_at_ms:
        lines.append(
            f"{_nps_words(feedback.nps)}: {feedback.nps:g} of 10 on {date(feedback.nps_at_ms, calendar)}."
        )
    blamed = blamed_themes(feedback, now.as_of_ms)
    praised = sorted(name for name, theme in feedback.themes.items() if theme.polarity > 0)
    if blamed:
        lines.append(f"Complains about {listed(blamed)}.")
    if praised:
        lines.append(f"Praises {listed(praised)}.")
    if feedback.complaints:
        lines.append(f"{count(feedback.complaints, 'complaint')} so far.")
    opened_ms = oldest_unresolved_ms(feedback)
    if opened_ms is not None:
        waiting = sum(ticket not in feedback.resolved for ticket in feedback.opened)
        since = days(lasted_days(opened_ms, now.as_of_ms, calendar))
        lines.append(
            f"{count(waiting, 'ticket or complaint', 'tickets or complaints')} open, the oldest for {since}."
        )
    return lines


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _nps_words(nps: float) -> str:
    if nps >= NPS_PROMOTER:
        return "Would recommend us"
    return "Might recommend us" if nps >= NPS_PASSIVE else "Would not recommend us"
