"""A policy as it is published on the control topic: every setting in JSON, with the hash of its content.

The document names every setting, so a later version of this program with other defaults reads the same policy
or refuses it; it never means another one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, structs

from stream.core.currency import Exchange
from stream.core.facts.meaning import digest_of
from stream.core.policy.policy import Policy
from stream.policy_file.contradictions import contradictions
from stream.policy_file.load import with_hash
from stream.policy_file.zone import zone_faults
from stream.time_zones import calendar_in

Mode = Literal["active", "shadow", "off"]
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Policy).decode


class PublishedPolicyError(ValueError):
    """The policy cannot be put in force; the message names the setting."""


class _Hashed(Struct):
    hash: str


_hashed = msgspec.json.Decoder(_Hashed).decode


class PoliciesInForce(NamedTuple):
    """What is published: a policy in force (None: that of the settings), and a shadow beside it."""

    active: Policy | None = None
    shadow: Policy | None = None

    def after(self, mode: Mode, policy: Policy | str, configured: Policy) -> PoliciesInForce:
        """What is in force once a policy is published in a mode; for `off` its hash is enough.

        A shadow ends when its policy is put in force, or one that reads feedback otherwise: it could not be
        judged by the same facts any more.
        """
        content_hash = policy if isinstance(policy, str) else policy.hash
        active, shadow = self
        if isinstance(policy, Policy) and mode == "active":
            active = policy
        elif isinstance(policy, Policy) and mode == "shadow":
            shadow = policy
        elif shadow is not None and shadow.hash == content_hash:
            shadow = None
        elif active is not None and active.hash == content_hash:
            active = None
        if shadow is not None and mode != "shadow":
            now = active or configured
            if shadow.hash == now.hash or not read_alike(shadow, now):
                shadow = None
        return PoliciesInForce(active, shadow)


def encode_policy(policy: Policy) -> bytes:
    """Every setting of a policy as JSON, with its hash."""
    return _encode(structs.replace(policy, calendar=UNSET))


def decode_policy(content: bytes | Raw) -> Policy:
    """The policy in a document; PublishedPolicyError when it is none, contradicts itself, or is another than
    its hash says."""
    try:
        stated = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PublishedPolicyError(f"not a policy: {error}") from None
    faults = [*zone_faults({"business": {"zone": stated.business.zone}}), *contradictions(stated)]
    if faults:
        path, problem = faults[0]
        raise PublishedPolicyError(f"{'.'.join(map(str, path))}: {problem}")
    policy = with_hash(structs.replace(stated, calendar=calendar_in(stated.business.zone)))
    if stated.hash != policy.hash:
        raise PublishedPolicyError(
            f"hash is {stated.hash!r}, but the content hashes to {policy.hash!r}: it was edited, or is of a "
            "version of this program with other settings; publish the policy file again"
        )
    return policy


def hash_in(content: bytes | Raw) -> str:
    """The hash that a document states, whatever else is in it; PublishedPolicyError: there is none."""
    try:
        return _hashed(content).hash
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PublishedPolicyError(f"not a policy: {error}") from None


def check_document(mode: Mode, content: bytes | Raw) -> None:
    """PublishedPolicyError when a document cannot be published in a mode, whatever is in force."""
    if mode == "off":
        hash_in(content)
    else:
        decode_policy(content)


def check_fits(policy: Policy, mode: Mode, present: Policy) -> None:
    """PublishedPolicyError when profiles that `present` was in force for cannot be judged by a policy."""
    if _meaning_of(policy) != _meaning_of(present):
        raise PublishedPolicyError(
            "business.zone or finance.rates: others than in force. They change what facts mean: "
            "set STREAM_POLICY and cut over to new profiles (runbook)"
        )
    if mode == "shadow" and not read_alike(policy, present):
        raise PublishedPolicyError(
            "themes or lexicon: others than in force. A shadow is judged by the same facts, and these "
            "decide how feedback is read; compare with `stream policy diff` on recorded events"
        )


def read_alike(a: Policy, b: Policy) -> bool:
    """Whether two policies read texts of feedback in the same way."""
    return a.themes == b.themes and a.lexicon == b.lexicon


def _meaning_of(policy: Policy) -> str:
    return digest_of(policy.calendar, Exchange(policy.finance.currency, policy.finance.rates))
