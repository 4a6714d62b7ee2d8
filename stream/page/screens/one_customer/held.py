"""Why no alert is open about a customer: what is held back, by what, and when the last one ended."""

from __future__ import annotations

from stream.core.facts.profile import Profile
from stream.core.judgement.held import held_back
from stream.page.screens.policy.alert_weeks import HELD_WORDS
from stream.page.screens.view import View
from stream.wording.alert import ALERT_NAMES


def not_raised_lines(profile: Profile, view: View) -> list[str]:
    """A line for each kind of alert that is held back as of the view; without any, nothing is due."""
    judgement = profile.judgement
    lines = []
    for kind, why in held_back(judgement, view.as_of_ms, view.basis):
        closed_ms = judgement.episodes[kind].closed_ms
        ended = f" (the last one ended on {view.date(closed_ms)})" if closed_ms else ""
        lines.append(
            f"{ALERT_NAMES[kind].capitalize()}: no alert is raised, because {HELD_WORDS[why]}{ended}."
        )
    return lines
