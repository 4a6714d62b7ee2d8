"""What ends the demo early, in one message."""

from __future__ import annotations

import click


class DemoError(click.ClickException):
    """The demo could not be played to its end."""
