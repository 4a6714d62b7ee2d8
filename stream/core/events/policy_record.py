"""The `data` part of `policy.published`."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw

from stream.core.events.payload import EventData


class PolicyRecord(EventData, frozen=True):
    """What is to become of a policy for every customer from the event's time on.

    `active`: it is in force. `shadow`: it judges beside the one in force, and its alerts go to a topic of
    their own. `off`: neither any more; if it was in force, the policy of the workers' settings is again.
    """

    mode: Literal["active", "shadow", "off"]
    policy: Raw
    """Every setting of the policy, with the hash of its content (stream/policy_file/published.py)."""
