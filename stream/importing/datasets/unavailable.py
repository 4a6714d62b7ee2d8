"""The error of a data set that is not on this machine and could not be downloaded."""

from __future__ import annotations


class SourceUnavailableError(Exception):
    """The data set could not be found or downloaded; the message says what to do."""
