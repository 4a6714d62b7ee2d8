"""What the terminal shows while the year is played: how far it is, the counts, and the last alerts in words.

On a terminal it is one calm picture that is drawn anew in its place; elsewhere it is plain lines.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Sequence
from datetime import date as day
from types import TracebackType

import click

from stream.core.alerts.alert import Alert, instant_of
from stream.core.calendar import UTC_CALENDAR
from stream.printable import printable, printable_lines
from stream.wording.alert import ALERT_NAMES, reason_lines
from stream.wording.wrap import CONTINUATION, for_terminal

PLAIN_EVERY_S = 10.0
"""Where output is no terminal, the status is a line of its own, this often."""
DRAWN_EVERY_S = 0.2
ALERTS_PER_SECOND = 3.0
"""As many as one can read."""
ALERTS_KEPT = 5
BAR = 30
YEAR_BEGINS = day(2017, 1, 1)


def alert_line(alert: Alert) -> str:
    """Date, customer, what the alert is, and its strongest reason."""
    why = reason_lines(alert.data, UTC_CALENDAR, instant_of(alert.time))[0]
    what = ALERT_NAMES[alert.data.kind]
    return f"{alert.time[:10]}  {alert.subject} ({alert.data.customer.tier}): {what}, {why}"


Status = tuple[str, int, int, int]
"""The day that is played, events sent and done, alerts so far."""


def picture(status: Status, last_day: str, alerts: Sequence[str], columns: int) -> list[str]:
    """The lines of the picture: always the same number of them, none wider than the terminal."""
    date, sent, done, raised = status
    whole = max(1, (day.fromisoformat(last_day) - YEAR_BEGINS).days)
    share = min(1.0, max(0.0, (day.fromisoformat(date) - YEAR_BEGINS).days / whole))
    full = round(share * BAR)
    lines = [
        f"[{'#' * full}{'.' * (BAR - full)}] {share:4.0%}   {date}",
        f"{sent:,} events sent, {done:,} done, {raised:,} alerts",
        "",
        "The last alerts:",
        *(f"  {line}" for line in alerts),
    ]
    lines += [""] * (4 + ALERTS_KEPT - len(lines))
    return [_cut(printable(line), columns - 1) for line in lines]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(0, width - 3)]}..."


class Screen:
    """The picture, with what is said above it; plain lines where output is no terminal."""

    def __init__(self, last_day: str = "2017-12-31", is_terminal: bool | None = None) -> None:
        """`last_day`: that of the play. `is_terminal`: of the output; None: it is asked."""
        self._tty = sys.stdout.isatty() if is_terminal is None else is_terminal
        self._last_day = last_day
        self._status: Status | None = None
        self._alerts: deque[str] = deque(maxlen=ALERTS_KEPT)
        self._drawn = 0
        """Lines of the picture on the terminal; the cursor stands below them."""
        self._status_at = time.monotonic()
        self._allowance = ALERTS_PER_SECOND
        """Alerts that may be shown now; grows with time, up to one second's worth."""
        self._allowance_at = time.monotonic()
        self._hidden = 0

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()

    def say(self, text: str, continuation: str = CONTINUATION) -> None:
        """One line of output; on a terminal it is wrapped, with `continuation` before further lines."""
        self._wipe()
        click.echo(printable_lines(for_terminal(text, continuation)))

    def status(self, date: str, sent: int, done: int, alerts: int) -> None:
        """How far the demo is."""
        self._status = date, sent, done, alerts
        waited_s = time.monotonic() - self._status_at
        if self._tty and waited_s >= DRAWN_EVERY_S:
            self._status_at = time.monotonic()
            self._draw()
        elif not self._tty and waited_s >= PLAIN_EVERY_S:
            self._status_at = time.monotonic()
            click.echo(printable_lines(f"{date}  {sent:,} events sent, {done:,} done, {alerts:,} alerts"))

    def show(self, alerts: Sequence[Alert]) -> None:
        """New alerts, at most ALERTS_PER_SECOND; the others are only counted."""
        now = time.monotonic()
        grown = self._allowance + (now - self._allowance_at) * ALERTS_PER_SECOND
        self._allowance, self._allowance_at = min(grown, ALERTS_PER_SECOND), now
        for alert in alerts:
            if self._allowance < 1:
                self._hidden += 1
                continue
            self._allowance -= 1
            more = f"  (and {self._hidden} more before it)" if self._hidden else ""
            self._hidden = 0
            if self._tty:
                self._alerts.append(alert_line(alert))
            else:
                self.say(alert_line(alert) + more)

    def _draw(self) -> None:
        if self._status is None:
            return
        size = shutil.get_terminal_size()
        lines = picture(self._status, self._last_day, self._alerts, size.columns)[: max(1, size.lines - 1)]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        click.echo(up + "".join(f"\r\x1b[2K{line}\n" for line in lines), nl=False, color=True)
        self._drawn = len(lines)

    def _wipe(self) -> None:
        """Take the picture away; the cursor stands where it began."""
        if self._tty and self._drawn:
            click.echo(f"\x1b[{self._drawn}A\r\x1b[J", nl=False, color=True)
        self._drawn = 0
