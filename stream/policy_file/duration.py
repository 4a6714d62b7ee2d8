"""Durations of a policy file, `30d`, `12h`, `1d12h`, to milliseconds and back."""

from __future__ import annotations

import re

from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, WEEK_MS

UNITS_MS = {"w": WEEK_MS, "d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS}
WRITTEN = re.compile(r"(?:\d{1,9}w)?(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m)?(?:\d{1,9}s)?", re.ASCII)
ALLOWED = 'a duration as text: "30d", "12h", "15m", "1d12h"'


def duration_ms(text: str) -> int | None:
    """Milliseconds; None for any other text. Units go from weeks (w) to seconds (s), each once."""
    text = text.strip()
    if not text or not WRITTEN.fullmatch(text):
        return None
    return sum(int(number) * UNITS_MS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def duration_text(span_ms: int) -> str:
    """The shortest text without weeks; fractions of a second are dropped."""
    parts = []
    for unit in "dhms":
        count, span_ms = divmod(span_ms, UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0d"
