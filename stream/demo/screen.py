"""What is seen while the year is played: the date, how far the worker is, alerts as they are raised."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

import click

from stream.core.alerts.alert import Alert
from stream.wording.alert import KINDS, reason_lines

PLAIN_EVERY_S = 10.0
ALERTS_A_SECOND = 3.0


def line(alert: Alert) -> str:
    """Who, what, and the strongest reason."""
    why = (reason_lines(alert.data) or ["no single reason stands out"])[0]
    return f"{alert.time[:10]}  {alert.subject} ({alert.data.customer.tier}), {KINDS[alert.data.kind]}: {why}"


class Screen:
    """A status line on a terminal, else a plain line now and then; no more alerts than one can read."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        self._told_at = time.monotonic()
        self._room = ALERTS_A_SECOND
        self._room_at = time.monotonic()
        self._unseen = 0

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()

    def say(self, text: str = "") -> None:
        self._wipe()
        click.echo(text)

    def status(self, date: str, sent: int, done: int, alerts: int) -> None:
        """Where the play has come to."""
        text = f"{date}  {sent:,} events sent, {done:,} done, {alerts:,} alerts"
        if self._tty:
            self._wipe()
            click.echo(text, nl=False)
        elif time.monotonic() - self._told_at >= PLAIN_EVERY_S:
            self._told_at = time.monotonic()
            click.echo(text)

    def show(self, alerts: Sequence[Alert]) -> None:
        """Alerts that were raised just now, as many as can be read; the others are counted."""
        now = time.monotonic()
        self._room = min(self._room + (now - self._room_at) * ALERTS_A_SECOND, ALERTS_A_SECOND)
        self._room_at = now
        for alert in alerts:
            if self._room < 1:
                self._unseen += 1
                continue
            self._room -= 1
            more = f"  (and {self._unseen} more before)" if self._unseen else ""
            self._unseen = 0
            self.say(line(alert) + more)

    def _wipe(self) -> None:
        if self._tty:
            click.echo("\r\x1b[2K", nl=False)
