"""What the terminal shows while the year is played: the date, how far the worker is, and new alerts."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from types import TracebackType

import click

from stream.core.alerts.alert import Alert
from stream.printable import printable_lines
from stream.wording.alert import ALERT_NAMES, reason_lines
from stream.wording.wrap import CONTINUATION, for_terminal

PLAIN_EVERY_S = 10.0
"""Where output is no terminal, the status is a line of its own, this often."""
ALERTS_PER_SECOND = 3.0
"""As many as one can read."""


def alert_line(alert: Alert) -> str:
    """Date, customer, what the alert is, and its strongest reason."""
    why = reason_lines(alert.data)[0]
    what = ALERT_NAMES[alert.data.kind]
    return f"{alert.time[:10]}  {alert.subject} ({alert.data.customer.tier}): {what}, {why}"


class Screen:
    """One status line that is rewritten, with alerts above it; plain lines where output is no terminal."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
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
        self._wipe_status()

    def say(self, text: str, continuation: str = CONTINUATION) -> None:
        """One line of output; on a terminal it is wrapped, with `continuation` before further lines."""
        self._wipe_status()
        click.echo(printable_lines(for_terminal(text, continuation)))

    def status(self, date: str, sent: int, done: int, alerts: int) -> None:
        """How far the demo is."""
        text = f"{date}  {sent:,} events sent, {done:,} done, {alerts:,} alerts"
        if self._tty:
            self._wipe_status()
            click.echo(text[: shutil.get_terminal_size().columns - 1], nl=False)
        elif time.monotonic() - self._status_at >= PLAIN_EVERY_S:
            self._status_at = time.monotonic()
            click.echo(printable_lines(text))

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
            self.say(alert_line(alert) + more)

    def _wipe_status(self) -> None:
        if self._tty:
            click.echo("\r\x1b[2K", nl=False)
