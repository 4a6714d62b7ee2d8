"""The policy file: a TOML file that a marketer edits becomes the immutable Policy of every decision."""

from stream.policy_file.duration import duration_ms, duration_text
from stream.policy_file.load import (
    PolicyFault,
    PolicyFileError,
    default_policy,
    default_text,
    load_policy,
    parse_policy,
    with_hash,
)

__all__ = [
    "PolicyFault",
    "PolicyFileError",
    "default_policy",
    "default_text",
    "duration_ms",
    "duration_text",
    "load_policy",
    "parse_policy",
    "with_hash",
]
