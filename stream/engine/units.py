"""Units of time that the modules of the engine share."""

MS_PER_S = 1_000
FOREVER_MS = 1 << 62
"""Later than any event time: 146 million years after 1970."""
