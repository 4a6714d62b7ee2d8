"""Every alert about a customer by episode: why it was raised, what would have ended it, what became of it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stream.core.alerts.alert import Alert
from stream.look.timeline import Stretch
from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.wording.alert import ALERT_NAMES, alert_lines, state_words
from stream.wording.amounts import days, lasted_days

ALERTS_READ_MAX = 200
"""The latest."""
OPENING = ("raised", "escalated")

_decode_alert = msgspec.json.Decoder(Alert).decode


class EpisodeRow(Struct, frozen=True):
    """One episode, from the alert that opened it to the one that ended it."""

    title: str
    opened: str
    became: str
    """What became of it: still open, or how and when it ended."""
    lines: list[str]
    """Reasons, score, money, what would close it, what to do: as it was sent."""
    later: list[tuple[str, str]]
    """Day and words of each alert after the first."""
    span: Stretch


def episodes(reading: Reading, customer: str, view: View) -> list[EpisodeRow]:
    """The episodes of a customer, the latest first; an episode without its end is open."""
    sql = "SELECT body, at_ms FROM alerts WHERE customer = ? ORDER BY sequence DESC LIMIT ?"
    found: dict[tuple[str, int], list[tuple[int, Alert]]] = {}
    for body, at_ms in reading.rows(sql, [customer, ALERTS_READ_MAX]):
        alert = _decode_alert(body)
        found.setdefault((alert.data.kind, alert.data.episode.n), []).append((at_ms, alert))
    return [_episode(sent[::-1], view) for sent in found.values()]


def _episode(sent: list[tuple[int, Alert]], view: View) -> EpisodeRow:
    (from_ms, first), (to_ms, last) = sent[0], sent[-1]
    is_over = last.data.state not in OPENING
    title = ALERT_NAMES[first.data.kind]
    if is_over:
        lasted = days(lasted_days(from_ms, to_ms, view.calendar))
        became = f"{state_words(last.data)}, on {view.date(to_ms)} after {lasted}"
    else:
        became, to_ms = "still open", view.as_of_ms
    _, *lines = alert_lines(first, view.calendar)
    kind = "ended" if is_over else "open"
    return EpisodeRow(
        title=title.capitalize(),
        opened=view.date(from_ms),
        became=became,
        lines=lines,
        later=[(view.date(at_ms), state_words(alert.data)) for at_ms, alert in sent[1:]],
        span=Stretch(from_ms, to_ms, kind, f"{title}: from {view.date(from_ms)}, {became}"),
    )
