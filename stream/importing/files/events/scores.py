"""The text of a rating or of an answer to a survey becomes a number on its scale, or is refused."""

from __future__ import annotations

import re
from typing import Any

from stream.core.events.payload import SURVEY_BEST
from stream.importing.files.events.line_values import LineRejection
from stream.importing.files.reading.row import Values

NUMBER = r"(\d+(?:[.,]\d+)?)"
WRITTEN = re.compile(
    rf"{NUMBER}|{NUMBER}\s+[-–:]\s+\D.*|\D.*\s[-–:]\s+{NUMBER}|{NUMBER}(?:\s+out\s+of\s+\d+)?\s+stars?",
    re.IGNORECASE,
)
"""`7`, `10 - Extremely likely`, `Not at all likely - 0`, `4 out of 5 stars`."""
SCORED = {"feedback.reviewed": "rating", "feedback.survey_answered": "score"}
"""Event type -> the field of its data that holds the number."""
SURVEY_MIN = {"nps": 0.0}
"""The lowest score of a kind of survey; 1 for all others."""
REVIEW_MIN = 1.0


def set_score(kind: str, values: Values, data: dict[str, Any]) -> LineRejection | None:
    """Put the number of a row into the data of its event; the rejection where there is none on the scale."""
    if kind not in SCORED:
        return None
    text = values.get("rating", "").strip()
    if not text:
        return LineRejection("rating_missing")
    found = WRITTEN.fullmatch(text)
    if found is None:
        remedy = 'say what it is worth: [values.rating] "label" = number'
        return LineRejection("rating_unreadable", f"rating is {text!r}; {remedy}")
    score = float(next(number for number in found.groups() if number is not None).replace(",", "."))
    scale = _scale(kind, values)
    if isinstance(scale, LineRejection):
        return scale
    if not scale[0] <= score <= scale[1]:
        return LineRejection(
            "rating_out_of_scale", f"rating is {text!r}, its scale is {scale[0]:g} to {scale[1]:g}"
        )
    data[SCORED[kind]] = score
    return None


def _scale(kind: str, values: Values) -> tuple[float, float] | LineRejection:
    """The lowest and the highest score, of the mapping or of the kind of survey."""
    ends = []
    for field in ("rating_min", "rating_max"):
        text = values.get(field, "").strip()
        if text and not re.fullmatch(r"\d+(\.\d+)?", text):
            return LineRejection("rating_unreadable", f"{field} is {text!r}")
        ends.append(float(text) if text else None)
    if kind == "feedback.reviewed":
        return REVIEW_MIN if ends[0] is None else ends[0], 5.0 if ends[1] is None else ends[1]
    survey = values.get("survey_kind", "").strip().lower() or "nps"
    low, high = SURVEY_MIN.get(survey, 1.0), SURVEY_BEST.get(survey, 10.0)
    return low if ends[0] is None else ends[0], high if ends[1] is None else ends[1]
