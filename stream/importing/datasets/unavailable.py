"""A data set that is not at hand is said so in one message that names the remedy."""

from __future__ import annotations


class SourceUnavailableError(Exception):
    """The data set could not be found or fetched; the message says what to do."""
