"""From what the file says to endpoints that can be used: secrets and certificates read, faults collected."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream.config.checks import SecretFileError, host_problem, secret_of
from stream.core.units import DAY_MS
from stream.deliver.adapters.shape import Adapter, adapter_of
from stream.deliver.adapters.tools import ShapeOptions
from stream.deliver.endpoints.endpoint import Endpoint, Endpoints
from stream.deliver.endpoints.entry import EndpointEntry, EndpointsEntry
from stream.deliver.plan.addresses import Network, is_literal, network_of, remedy, why_refused
from stream.deliver.plan.admission import Filter
from stream.deliver.plan.contact import Budget
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.plan.signature import SecretError, secret_key
from stream.deliver.plan.tokens import Rate
from stream.policy_file.check import KeyFault, shown

ROTATION_MAX_MS = 7 * DAY_MS
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
HOURS_ALLOWED = 'from and to as "21:00-08:00"'


class Builder:
    """Builds the endpoints of one file; `faults` has what is wrong with it."""

    def __init__(self, folder: Path, environ: Mapping[str, str], now_ms: int) -> None:
        self.faults: list[KeyFault] = []
        self._folder = folder
        self._environ = environ
        self._now_ms = now_ms
        self._zone: tzinfo = UTC
        self._name = ""

    def endpoints(self, written: EndpointsEntry) -> Endpoints:
        """All of them; not to be used when there are faults."""
        self._zone = self._zone_of(written.zone)
        built = {name: self._endpoint(name, entry) for name, entry in written.endpoints.items()}
        budget = written.budget
        return Endpoints(
            by_name=built,
            late_max_ms=written.late_max_ms,
            keep_ms=written.keep_ms,
            budget=Budget(budget.contacts_max, budget.window_ms) if budget else None,
        )

    def _fault(self, key: str, problem: str) -> None:
        self.faults.append((("endpoints", self._name, key) if self._name else (key,), problem))

    def _endpoint(self, name: str, entry: EndpointEntry) -> Endpoint:
        self._name = name
        networks = self._networks(entry)
        self._check_url(entry, networks)
        adapter = adapter_of(entry.adapter)
        previous, until_ms = self._previous(entry)
        return Endpoint(
            name=name,
            url=entry.url,
            key=self._secret(entry, "secret", needed=adapter is None) or b"",
            adapter=adapter,
            token=self._token(entry, adapter),
            shape=ShapeOptions(entry.customer_is, entry.event_name or ""),
            previous_key=previous,
            previous_until_ms=until_ms,
            wanted=Filter(entry.kinds, entry.tiers, entry.states, entry.arms, entry.at_stake_min_minor),
            ordered=entry.order == "customer",
            concurrency=entry.concurrency,
            rate=Rate(entry.rate_per_minute, entry.rate_burst) if entry.rate_per_minute else None,
            quiet=self._quiet(entry),
            contact=entry.contact,
            consent=entry.consent,
            timeout_s=entry.timeout_ms / 1_000,
            networks=networks,
            tls=self._tls(entry),
        )

    def _zone_of(self, name: str) -> tzinfo:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._fault("zone", f'{shown(name)} is no time zone; allowed: names such as "Europe/Berlin"')
            return UTC

    def _check_url(self, entry: EndpointEntry, networks: tuple[Network, ...]) -> None:
        problem = _url_problem(entry, networks)
        if problem:
            self._fault("url", problem)

    def _networks(self, entry: EndpointEntry) -> tuple[Network, ...]:
        found = [network_of(text) for text in entry.allow_networks]
        for text, network in zip(entry.allow_networks, found, strict=True):
            if network is None:
                self._fault(
                    "allow_networks",
                    f"{shown(text)} is no network; allowed: 10.1.0.0/16, fd00::/8, or one address "
                    "(no bits of the host set)",
                )
        return tuple(each for each in found if each is not None)

    def _token(self, entry: EndpointEntry, adapter: Adapter | None) -> str:
        """The key of a tool's API; what belongs to other adapters is a fault, and so is what is missing."""
        named = adapter is not None and adapter.needs_event_name
        if adapter is None:
            for key in ("token_file", "token_env", "event_name"):
                if getattr(entry, key) is not None:
                    self._fault(key, 'is of an adapter, and adapter = "generic" needs none')
        elif named and not entry.event_name:
            self._fault("adapter", f"{entry.adapter} needs event_name (see docs/delivery/{entry.adapter}.md)")
        found = self._read_secret(entry, "token", needed=adapter is not None and adapter.needs_token)
        return (found or ("", ""))[1]

    def _secret(self, entry: EndpointEntry, which: str, *, needed: bool) -> bytes | None:
        """The key of a secret."""
        found = self._read_secret(entry, which, needed=needed)
        try:
            return secret_key(found[1]) if found else None
        except SecretError as error:
            self._fault(found[0] if found else which, str(error))
            return None

    def _read_secret(self, entry: EndpointEntry, which: str, *, needed: bool) -> tuple[str, str] | None:
        """The key that names a file or a variable, and what is in there; a fault quotes nothing of it."""
        file, variable = getattr(entry, f"{which}_file"), getattr(entry, f"{which}_env")
        if (file is None) == (variable is None):
            if file is not None:
                self._fault(f"{which}_env", f"{which}_file is set too; allowed: one of the two")
            elif needed:
                self._fault("url", f"no {which}; set {which}_file or {which}_env (see docs/delivery)")
            return None
        key = f"{which}_file" if file is not None else f"{which}_env"
        try:
            text = secret_of(self._folder / file) if file is not None else self._environ.get(variable, "")
        except SecretFileError as error:
            self._fault(key, str(error))
            return None
        if not text.strip():
            reason = "the file is empty" if file is not None else f"the variable {variable} is not set"
            self._fault(key, reason)
            return None
        if not text.strip().isascii() or not text.strip().isprintable():
            self._fault(key, "holds a character that no header may hold")
            return None
        return key, text.strip()

    def _previous(self, entry: EndpointEntry) -> tuple[bytes | None, int]:
        """The previous secret, and the instant (ms) until when it signs as well."""
        given = entry.previous_secret_file is not None or entry.previous_secret_env is not None
        if not given and entry.previous_until is None:
            return None, 0
        if not given or entry.previous_until is None:
            missing = "previous_until" if given else "previous_secret_file or previous_secret_env"
            self._fault("url", f"{missing} is missing: a previous secret and its end belong together")
            return None, 0
        until_ms = _instant_ms(entry.previous_until)
        if until_ms is None:
            allowed = "a date or a time with zone: 2026-12-07, 2026-12-07T12:00Z"
            self._fault("previous_until", f"{shown(entry.previous_until)} is not allowed; allowed: {allowed}")
        elif until_ms - self._now_ms > ROTATION_MAX_MS:
            self._fault("previous_until", f"{shown(entry.previous_until)} is more than seven days ahead")
        return self._secret(entry, "previous_secret", needed=False), until_ms or 0

    def _quiet(self, entry: EndpointEntry) -> QuietHours | None:
        if entry.quiet_hours is None:
            return None
        found = HOURS.fullmatch(entry.quiet_hours)
        minutes = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
        first, last = 60 * minutes[0] + minutes[1], 60 * minutes[2] + minutes[3]
        if first == last:
            self._fault("quiet_hours", f"{shown(entry.quiet_hours)} is not allowed; allowed: {HOURS_ALLOWED}")
            return None
        return QuietHours(first, last, self._zone)

    def _tls(self, entry: EndpointEntry) -> ssl.SSLContext | None:
        if not (entry.ca_file or entry.client_cert_file or entry.client_key_file):
            return None
        if bool(entry.client_cert_file) != bool(entry.client_key_file):
            key = "client_cert_file" if entry.client_cert_file else "client_key_file"
            self._fault(key, "client_cert_file and client_key_file belong together: set both or none")
            return None
        key = "ca_file"
        try:
            context = ssl.create_default_context()
            if entry.ca_file:
                context.load_verify_locations(cafile=self._folder / entry.ca_file)
            key = "client_cert_file"
            if entry.client_cert_file and entry.client_key_file:
                context.load_cert_chain(
                    self._folder / entry.client_cert_file,
                    self._folder / entry.client_key_file,
                    password=lambda: "",
                )
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._fault(key, f"cannot be used (PEM, no passphrase): {reason}")
            return None
        return context


def _url_problem(entry: EndpointEntry, networks: tuple[Network, ...]) -> str:
    """Why a URL cannot be used; nothing of it is quoted but its host: there may be a token in its path."""
    try:
        parts = urlsplit(entry.url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return f"no URL: {error}"
    checks = (
        (not entry.url.isascii() or not entry.url.isprintable() or " " in entry.url, "holds a space or a "
         "character beyond ASCII; write it percent-encoded"),
        (parts.scheme not in {"https", "http"}, "allowed: https://host/path"),
        (parts.scheme == "http" and not entry.allow_http, "http sends alerts in the clear; use https, or "
         "allow it with allow_http = true"),
        (parts.username is not None, "holds a user name; put nothing before the host"),
        (bool(parts.fragment), "holds a #fragment, which is never sent"),
        (port == 0, "port 0 is none"),
    )  # fmt: skip
    problem = next((problem for wrong, problem in checks if wrong), "")
    return problem or _host_problem(parts, host, networks)


def _host_problem(parts: SplitResult, host: str, networks: tuple[Network, ...]) -> str:
    if not host:
        return "no host; allowed: https://host/path"
    if is_literal(host):
        refused = why_refused(host, networks)
        return f"{host} is {refused}{remedy(host)}" if refused else ""
    return f"host {shown(host)}: {reason}" if (reason := host_problem(host)) else ""


def _instant_ms(text: str) -> int | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1_000)
