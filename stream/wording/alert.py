"""The words of alerts. They are in the core, because each alert carries some of them (`data.text`)."""

from stream.core.alerts.stake_words import stake_words
from stream.core.alerts.to_do_words import CHANNEL_WORDS, action_words, to_do_words
from stream.core.alerts.upgrade_words import HIGHEST_TIER
from stream.core.alerts.wording import (
    ALERT_NAMES,
    REASON_WORDS,
    SCALE,
    SCORE_MEANINGS,
    STATE_WORDS,
    alert_lines,
    because,
    closing_words,
    currency,
    ending_words,
    headline,
    history_words,
    lines_against,
    reason_lines,
    reason_words,
    reasons_against,
    score_number,
    score_words,
    state_words,
)

__all__ = [
    "ALERT_NAMES",
    "CHANNEL_WORDS",
    "HIGHEST_TIER",
    "REASON_WORDS",
    "SCALE",
    "SCORE_MEANINGS",
    "STATE_WORDS",
    "action_words",
    "alert_lines",
    "because",
    "closing_words",
    "currency",
    "ending_words",
    "headline",
    "history_words",
    "lines_against",
    "reason_lines",
    "reason_words",
    "reasons_against",
    "score_number",
    "score_words",
    "stake_words",
    "state_words",
    "to_do_words",
]
