"""One TOML file to a Policy with the hash of its content, or to all faults of the file with their lines."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import resources
from pathlib import Path

import msgspec
from msgspec import Struct

from stream.core.policy.policy import UPGRADES_A_MONTH_MAX, Business, Experiment, Policy
from stream.policy_file.check import KeyFault, checked
from stream.policy_file.contradictions import contradictions
from stream.policy_file.toml_lines import key_lines, line_of
from stream.policy_file.zone import zone_faults
from stream.time_zones import calendar_in, tzdata_version
from stream.toml_text import TomlTextError, parsed_toml

FAULTS_SHOWN = 100
KEY_SHOWN_MAX = 200
"""Characters of a key that a message shows."""
DEFAULT_NAME = "policy.default.toml"
SETS_NOTHING = (
    "sets nothing: the file is empty, or holds only comments, so every threshold would be the default; for "
    "that name no file; else write what differs (all keys: stream policy default)"
)
"""Of a file that was cut off, or mounted empty: whoever names a file means that it says something."""


class PolicyFault(Struct, frozen=True):
    """One fault of a policy file."""

    line: int
    key: str
    """Dotted key, such as churn_risk.hysteresis.raise_at; empty for a fault of the whole file."""
    problem: str


class PolicyFileError(ValueError):
    """A policy file that cannot be used; its message has one line per fault."""

    def __init__(self, name: str, faults: list[PolicyFault]) -> None:
        self.name = name
        self.faults = faults
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """`file:line: key: what is wrong; what is allowed`; of very many faults the first."""
        return fault_lines(self.name, self.faults)


def fault_lines(name: str, faults: list[PolicyFault]) -> list[str]:
    """`file:line: key: what is wrong; what is allowed`; of very many faults the first."""
    shown = [
        f"{name}:{each.line}: {shortened(each.key) + ': ' if each.key else ''}{each.problem}"
        for each in faults[:FAULTS_SHOWN]
    ]
    more = len(faults) - FAULTS_SHOWN
    return [*shown, f"{name}: and {more:,} more faults"] if more > 0 else shown


def load_policy(path: Path | str | None = None) -> Policy:
    """The policy of a file, or the shipped default; PolicyFileError or OSError when it cannot be used, also
    when the file sets nothing."""
    if path is None:
        return default_policy()
    raw = Path(path).read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PolicyFileError(str(path), [PolicyFault(line, "", "not UTF-8 text")]) from None
    policy = parse_policy(text, str(path))
    if not _sets_something(parsed_toml(text)):
        raise PolicyFileError(str(path), [PolicyFault(1, "", SETS_NOTHING)])
    return policy


def _sets_something(written: object) -> bool:
    """Whether a table holds more than empty tables."""
    return any(map(_sets_something, written.values())) if isinstance(written, dict) else True


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """The policy that ships with the package."""
    return parse_policy(default_text(), DEFAULT_NAME)


def default_text() -> str:
    """The text of the shipped policy file, with its comments."""
    return resources.files("stream").joinpath("data", DEFAULT_NAME).read_text(encoding="utf-8")


def parse_policy(text: str, name: str = "policy") -> Policy:
    """The policy of a TOML text; PolicyFileError has every fault with its line, and `name` as the file."""
    try:
        written = parsed_toml(text)
    except TomlTextError as fault:
        raise PolicyFileError(name, [PolicyFault(fault.line, "", fault.problem)]) from None
    content, faults = checked(written, msgspec.to_builtins(Policy()))
    faults += zone_faults(content)
    policy = None if faults else msgspec.convert(content, Policy)
    if policy is not None:
        faults = list(contradictions(policy))
    if faults or policy is None:
        raise PolicyFileError(name, located(text, faults))
    finance = policy.finance
    rates = {code: _shortest(rate) for code, rate in finance.rates.items()}
    calendar, finance = calendar_in(policy.business.zone), msgspec.structs.replace(finance, rates=rates)
    return with_hash(msgspec.structs.replace(policy, calendar=calendar, finance=finance))


def _shortest(rate: str) -> str:
    """A decimal number without needless zeros: `0.920` is the rate `0.92`."""
    whole, _, part = rate.partition(".")
    part = part.rstrip("0")
    return f"{int(whole)}.{part}" if part else str(int(whole))


def with_hash(policy: Policy) -> Policy:
    """The policy with the hash of its content: comments, order and spelling of the file do not matter.

    A policy without zone, currency or experiment has the hash that it had before there were any, and so has
    one with the shipped limit of upgrade opportunities. That of
    another zone says which days are meant, so the version of the zone data goes into it.
    """
    in_utc, finance = policy.business == Business(), policy.finance
    plain = msgspec.structs.replace(policy, hash="", calendar=msgspec.UNSET if in_utc else tzdata_version())
    if in_utc:
        plain = msgspec.structs.replace(plain, business=msgspec.UNSET)
    if policy.experiment == Experiment():
        plain = msgspec.structs.replace(plain, experiment=msgspec.UNSET)
    if policy.upgrade_opportunity.monthly_share_max == UPGRADES_A_MONTH_MAX:
        by_model = msgspec.structs.replace(policy.upgrade_opportunity, monthly_share_max=msgspec.UNSET)
        plain = msgspec.structs.replace(plain, upgrade_opportunity=by_model)
    if not finance.currency:
        one_money = msgspec.structs.replace(finance, currency=msgspec.UNSET, rates=msgspec.UNSET)
        plain = msgspec.structs.replace(plain, finance=one_money)
    digest = hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()
    return msgspec.structs.replace(policy, hash=f"sha256:{digest}")


def shortened(key: str) -> str:
    """A key as a message shows it."""
    return key if len(key) <= KEY_SHOWN_MAX else key[: KEY_SHOWN_MAX - 3] + "..."


def located(text: str, faults: list[KeyFault]) -> list[PolicyFault]:
    """The faults with their lines in the text, in the order of the lines."""
    lines = key_lines(text)
    found = [PolicyFault(line_of(lines, path), _dotted(path), problem) for path, problem in faults]
    return sorted(found, key=lambda each: each.line)


def _dotted(path: tuple[str | int, ...]) -> str:
    keys = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return "".join(keys).removeprefix(".")
