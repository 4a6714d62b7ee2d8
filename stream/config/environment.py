"""Reads the environment variables STREAM_* into a frozen `Settings`, once at the start of a process.

Every problem is one line that names the variable, its value and what is allowed. All problems are reported
together, and the process ends with exit code 2 before it does anything. An empty variable counts as not set.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from stream.config.checks import SecretFileError, secret_of, text_problem, value_problems
from stream.config.settings import SECRETS, Settings

PREFIX = "STREAM_"
TYPES: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Settings)}
DEFAULTS = Settings()
BY_PASSWORD = ("sasl_username", "sasl_password")
BY_TOKEN = ("oauth_token_url", "oauth_client_id", "oauth_client_secret")


class SettingsError(click.ClickException):
    """The environment is wrong; one line for each problem."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def show(self, file: Any = None) -> None:
        for problem in self.problems:
            click.echo(f"stream: {problem}", file=file, err=file is None)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def _bounds(kind: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> str:
    low, high = (f"{bound:,}" if bound is not None else "" for bound in (kind.ge, kind.le))
    return f", {low} to {high}" if high else f", {low} or more"


def allowed_in_words(name: str) -> str:
    """The allowed values of a setting, in words."""
    info = msgspec.inspect.type_info(TYPES[name])
    extra, kind = (info.extra or {}, info.type) if isinstance(info, msgspec.inspect.Metadata) else ({}, info)
    if isinstance(kind, msgspec.inspect.LiteralType):
        declared = TYPES[name].__origin__.__args__  # in this order; msgspec.inspect sorts them
        return "one of " + ", ".join(declared)
    if isinstance(kind, msgspec.inspect.IntType):
        return "a whole number" + _bounds(kind)
    if isinstance(kind, msgspec.inspect.FloatType):
        return "a number" + _bounds(kind)
    return str(extra.get("allowed") or "text")


def _refusal(name: str, text: str) -> str:
    shown = "(secret)" if name in SECRETS else repr(text)
    default = f"; the default is {getattr(DEFAULTS, name)}" if getattr(DEFAULTS, name) != "" else ""
    return f"{variable(name)} = {shown}: expected {allowed_in_words(name)}{default}"


def _converted(name: str, text: str) -> Any:
    """The value of a setting; choices are read in upper or lower case. Raises ValidationError."""
    wanted = TYPES[name]
    if getattr(wanted.__origin__, "__origin__", None) is Literal:
        text = next((word for word in wanted.__origin__.__args__ if word.lower() == text.lower()), text)
    return msgspec.convert(text, wanted, strict=False)


def _misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    """Variables that look like a misspelt setting. Other STREAM_* variables may belong to other programs."""
    known = {variable(name) for name in TYPES} | {variable(name) + "_FILE" for name in SECRETS}
    words = [name.removeprefix(PREFIX) for name in known]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX), words, n=1, cutoff=0.85)
            if near:
                yield f"{name} is not a setting; did you mean {PREFIX}{near[0]}?"


def _given(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The text of every setting that is set, secrets also from their files; and the problems with these."""
    texts = {name: environ[variable(name)] for name in TYPES if environ.get(variable(name))}
    problems = []
    for name in SECRETS:
        path = environ.get(variable(name) + "_FILE")
        if path:
            texts.pop(name, None)
            try:
                texts[name] = secret_of(Path(path))
            except SecretFileError as error:
                problems.append(f"{variable(name)}_FILE = {path!r}: {error}")
    for name, text in list(texts.items()):
        if reason := text_problem(text):
            del texts[name]
            shown = "(secret)" if name in SECRETS else ascii(text)
            problems.append(f"{variable(name)} = {shown}: {reason}; expected {allowed_in_words(name)}")
    return texts, problems


def secret_values(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Every secret that is set and can be read, so that it can be kept out of messages."""
    values = {environ.get(variable(name), "") for name in SECRETS}
    for name in SECRETS:
        with suppress(SecretFileError):
            values.add(secret_of(Path(environ.get(variable(name) + "_FILE") or os.devnull)))
    return frozenset(values - {""})


def _login_contradictions(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """What the way to log in needs and is not there, or what belongs to another way."""
    sasl, by_token = settings.security.startswith("SASL"), settings.sasl_mechanism == "OAUTHBEARER"
    needed = BY_TOKEN if by_token else BY_PASSWORD
    for name in needed if sasl else ():
        if not getattr(settings, name):
            asking = settings.sasl_mechanism if by_token else settings.security
            yield (name, "security", "sasl_mechanism"), f"{variable(name)} is not set: {asking} needs it"
    for name in ("sasl_username", "oauth_token_url"):
        if not getattr(settings, name):
            continue
        if not sasl:
            line = f"{variable(name)} is set, but STREAM_SECURITY is not SASL_SSL or SASL_PLAINTEXT"
            yield (name, "security"), line
        elif name not in needed:
            line = f"{variable(name)} is set, but STREAM_SASL_MECHANISM is {settings.sasl_mechanism}"
            yield (name, "security", "sasl_mechanism"), line


def _contradictions(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Settings that contradict each other: their names, and the line to report."""
    yield from _login_contradictions(settings)
    if bool(settings.ssl_cert_file) != bool(settings.ssl_key_file):
        line = "STREAM_SSL_CERT_FILE and STREAM_SSL_KEY_FILE belong together: set both or none"
        yield ("ssl_cert_file", "ssl_key_file"), line
    if settings.replication == 0:
        yield ("replication",), "STREAM_REPLICATION = 0: expected 1 to 10, or -1"
    for name, reason in value_problems(settings):
        shown = "(secret)" if name in SECRETS else repr(getattr(settings, name))
        yield (name,), f"{variable(name)} = {shown}: {reason}"
    topics: dict[str, str] = {}
    for name in (field for field in TYPES if field.startswith("topic_") and field != "topic_prefix"):
        first = topics.setdefault(getattr(settings, name), name)
        if first != name:
            line = f"{variable(name)} = {getattr(settings, name)!r}: that is already {variable(first)}"
            yield (name, first), line


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the environment; SettingsError with all problems."""
    texts, problems = _given(environ)
    problems = [*_misspelt(environ), *problems]
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for name, text in texts.items():
        try:
            values[name] = _converted(name, text)
        except msgspec.ValidationError:
            wrong.add(name)
            problems.append(_refusal(name, text))
    settings = Settings(**values)
    problems += [line for names, line in _contradictions(settings) if not wrong.intersection(names)]
    if problems:
        raise SettingsError(problems)
    return settings
