"""What to do about an alert, in words: the play, by which channel, and whether the customer has agreed."""

from __future__ import annotations

from stream.core.alerts.alert import Action, AlertData
from stream.core.alerts.amounts import listed
from stream.core.policy.arms import HELD_OUT

CHANNEL_WORDS = {"call": "phone", "push": "push message", "app": "app message"}
"""Channels of the playbook whose name does not read well after "by"."""
CONSENT_IN_BRIEF = {
    "granted": "consent given",
    "unknown": "consent not known",
    "not_needed": "no consent needed",
}
LEFT_TO_DO = "Serve them well when they come by themselves: with an order, a visit or a question."
"""What can be done for a customer whom nobody may contact."""
LEFT_ALONE = "nothing: this customer is left alone, so that it can be seen whether acting on alerts helps."
"""What to do about an alert of the arm that is held out."""


def to_do_words(data: AlertData, *, in_brief: bool = False) -> str:
    """What to do about an alert: what the playbook recommends, or nothing where it is held out. `in_brief`:
    with three words on consent, as in a list."""
    if data.experiment is not None and data.experiment.arm == HELD_OUT:
        return LEFT_ALONE
    return action_words(data.recommended_action, in_brief=in_brief)


def action_words(action: Action | None, *, in_brief: bool = False) -> str:
    """What the playbook recommends, by which channel, and whether the customer has agreed to be contacted."""
    if action is None:
        return "nothing: the playbook of the policy has no play for these reasons."
    by = listed([CHANNEL_WORDS.get(channel, channel) for channel in action.channels], "or")
    if action.consent == "denied":
        nothing = f"Send nothing: they have refused {action.requires_consent}."
        return f"{nothing} {LEFT_TO_DO} With their consent it would be: {action.text} By {by}."
    if in_brief:
        return f"{action.text} By {by}; {CONSENT_IN_BRIEF[action.consent]}."
    consent = {
        "granted": f"they have agreed to {action.requires_consent}",
        "unknown": f"it is not known whether they agreed to {action.requires_consent}",
        "not_needed": "no consent needed",
    }[action.consent]
    return f"{action.text} By {by}; {consent}."
