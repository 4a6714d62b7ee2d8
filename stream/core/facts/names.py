"""Names that many customers share, such as categories and currencies, are one object for all of them.

Events bring a new object each time. With its own copies a profile has an eighth more objects, and to visit
them is what takes the time when a row is encoded.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=8_192)
def shared(name: str) -> str:
    """The same text; mostly the object that was given first."""
    return name
