"""The policies that were published to a partition, as its row under POLICY_KEY keeps them.

A worker that gets the partition goes on by what is committed of them; the rest is read again. So the row
keeps every publication that is not committed yet, and of the committed ones those that say what is in force.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stream.core.judgement.basis import Basis
from stream.core.policy.policy import Policy
from stream.policy_file.published import PoliciesInForce, PublishedPolicyError, decode_policy, hash_in
from stream.worker.rows.row import PolicyEntry, StoredRow

log = logging.getLogger("stream.worker")


class ShadowInForce(NamedTuple):
    """A shadow policy with the model in force."""

    begun: int
    """The offset after its publication: shadows of customers name it."""
    basis: Basis


class PublishedPolicies(NamedTuple):
    """What of the published policies is in force in a partition; None: nothing is published in its place."""

    active: PolicyEntry | None = None
    shadow: PolicyEntry | None = None
    policies: PoliciesInForce = PoliciesInForce()

    @property
    def entries(self) -> list[PolicyEntry]:
        """The two in the order of their publication."""
        both = [each for each in (self.active, self.shadow) if each is not None]
        return sorted(both, key=lambda each: each.next_offset)


def published_in(entries: Iterable[PolicyEntry], configured: Policy) -> PublishedPolicies:
    """What these publications, the oldest first, come to, where STREAM_POLICY is `configured`.

    STREAM_POLICY takes the place of a published policy when both hold: it is another than at the time of the
    publication, and its version is higher than that of the published one.
    """
    found = PublishedPolicies()
    for each in entries:
        try:
            policy = hash_in(each.policy) if each.mode == "off" else decode_policy(each.policy)
        except PublishedPolicyError as error:  # written by a version that had other settings
            log.error("a published policy is not used any more: %s", error)
            continue
        if each.mode == "active" and not isinstance(policy, str) and _is_replaced(policy, each, configured):
            log.info("policy %s of STREAM_POLICY replaces the published %s", named(configured), named(policy))
            continue
        found = after(found, each, policy, configured)
    return found


def _is_replaced(policy: Policy, entry: PolicyEntry, configured: Policy) -> bool:
    return entry.instead_of != configured.hash and configured.version > policy.version


def after(
    found: PublishedPolicies, entry: PolicyEntry, policy: Policy | str, configured: Policy
) -> PublishedPolicies:
    """What is in force after one more publication; of one that takes a policy out its hash is enough."""
    policies = found.policies.after(entry.mode, policy, configured)
    active = entry if entry.mode == "active" else found.active if policies.active else None
    shadow = entry if entry.mode == "shadow" else found.shadow if policies.shadow else None
    return PublishedPolicies(active, shadow, policies)


def policies_of_row(stored: StoredRow, configured: Policy) -> PoliciesInForce:
    """What a partition's row of policies says (empty: nothing); every publication counts as committed."""
    return published_in(stored.policies, configured).policies


def kept(
    entries: Sequence[PolicyEntry], committed: PublishedPolicies, committed_offset: int
) -> list[PolicyEntry]:
    """Of the publications those that a restart may need: what is in force by the committed ones, and all that
    are not committed."""
    return [*committed.entries, *(each for each in entries if each.next_offset > committed_offset)]


def named(policy: Policy) -> str:
    """A policy as lines of the log name it."""
    return f"{policy.id} version {policy.version} ({policy.hash})"
