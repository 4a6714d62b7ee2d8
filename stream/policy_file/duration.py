"""Durations as people write them: `30d`, `12h`, `1d12h`, and back."""

from __future__ import annotations

import re

UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
WRITTEN = re.compile(r"(?:\d{1,9}w)?(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m)?(?:\d{1,9}s)?", re.ASCII)
ALLOWED = 'a duration as text: "30d", "12h", "15m", "1d12h"'


def duration_ms(text: str) -> int | None:
    """Milliseconds; None when the text is no duration. Units go from weeks (w) to seconds (s), each once."""
    text = text.strip()
    if not text or not WRITTEN.fullmatch(text):
        return None
    return sum(int(number) * UNITS_MS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def duration_text(span_ms: int) -> str:
    """The shortest way to write it without weeks; what is below a second is lost."""
    parts = []
    for unit in "dhms":
        count, span_ms = divmod(span_ms, UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0d"
