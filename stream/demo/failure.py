"""The error that ends the demo early."""

from __future__ import annotations

import click


class DemoError(click.ClickException):
    """The demo could not be played to its end; the message says why."""
