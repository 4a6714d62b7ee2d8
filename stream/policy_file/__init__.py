"""The policy file: TOML that a marketer edits -> the frozen Policy that every judgement uses."""

from stream.policy_file.duration import duration_ms, duration_text
from stream.policy_file.load import (
    Finding,
    PolicyFaults,
    default_policy,
    default_text,
    load_policy,
    parse_policy,
    with_hash,
)

__all__ = [
    "Finding",
    "PolicyFaults",
    "default_policy",
    "default_text",
    "duration_ms",
    "duration_text",
    "load_policy",
    "parse_policy",
    "with_hash",
]
