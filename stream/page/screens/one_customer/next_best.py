"""The category to offer a customer next, and why, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stream.core.facts.interests import AlsoBought, next_category
from stream.core.facts.profile import Profile
from stream.page.screens.view import View
from stream.wording.amounts import share


def next_words(profile: Profile, report: Mapping[str, Any] | None, view: View) -> str:
    """What to offer them next, and why; `report`: the numbers that were published last.

    Empty for somebody of whom no category is known.
    """
    interests = profile.interests
    if not (interests.looked or interests.bought):
        return ""
    also = _also_bought(report)
    found = next_category(interests, view.as_of_ms, also)
    if found is None:
        return (
            "What to offer next is not known: it takes what other customers buy, which `stream report "
            "--publish` leaves for this page."
            if also is None
            else "What to offer next is not known: they buy all that buyers of the same categories buy."
        )
    if not found.because:
        return f"To offer next: {found.category}. They look at it most of all that they have not bought."
    day = f" (report of {view.date(report['as_of_ms'])})" if report is not None else ""
    return (
        f"To offer next: {found.category}. {share(found.because_share)} of the customers who buy "
        f"{found.because}, as they do, buy it too; over all that they buy it is {share(found.share)} on "
        f"average{day}. They do not buy it, or only rarely."
    )


def _also_bought(report: Mapping[str, Any] | None) -> AlsoBought | None:
    """What the report says of it; None: there is no report, or one of an earlier version."""
    try:
        return msgspec.convert(report["development"]["also_bought"], AlsoBought) if report else None
    except (KeyError, TypeError, msgspec.ValidationError):
        return None
