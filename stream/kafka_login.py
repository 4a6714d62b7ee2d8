"""How a process logs in to Kafka: by a password, or by access tokens (SASL/OAUTHBEARER, KIP-255).

Tokens come from a token endpoint, by client credentials (RFC 6749, section 4.4). One token is shared by all
clients of a process: asked for when it is needed first, and anew when four fifths of its life are over; while
the endpoint does not answer, the old one is given out as long as it lives. Nothing of a password, a token or
a secret is ever in a message.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote_plus, urlencode

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

from stream.config.settings import Settings
from stream.printable import printable

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 65_536
LIFE_S_MAX = 31_536_000
RENEWED_AT = 0.8
"""Share of a token's life after which another one is asked for, as librdkafka does."""


class TokenError(Exception):
    """No token could be had; the message is one line that says why, without any secret."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class TokenSource:
    """The token of a process. Called by librdkafka (`oauth_cb`), awaited by aiokafka (`provider`).

    `now_s` gives seconds since 1970; it is an argument for the tests.
    """

    def __init__(self, settings: Settings, now_s: Callable[[], float] = time.time) -> None:
        self.url, self._now_s = settings.oauth_token_url, now_s
        name, secret = (quote_plus(part) for part in (settings.oauth_client_id, settings.oauth_client_secret))
        self._login = base64.b64encode(f"{name}:{secret}".encode()).decode()  # RFC 6749, section 2.3.1
        self._form = {"grant_type": "client_credentials"}
        if settings.oauth_scope:
            self._form["scope"] = settings.oauth_scope
        context = ssl.create_default_context(cafile=settings.oauth_ca_file or None)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _NoRedirect()
        )
        self._lock = threading.Lock()
        self._token, self._renew_at_s, self._ends_at_s = "", 0.0, 0.0

    def __repr__(self) -> str:
        return f"TokenSource({self.url})"

    def __call__(self, _config: str = "") -> tuple[str, float]:
        """The token, and when it ends in seconds since 1970. TokenError."""
        with self._lock:
            if self._now_s() >= self._renew_at_s:
                self._renew()
            return self._token, self._ends_at_s

    @property
    def provider(self) -> AbstractTokenProvider:
        """The same for aiokafka."""
        return _Provider(self)

    def _renew(self) -> None:
        asked_at_s = self._now_s()
        try:
            token, lives_s = self._asked()
        except TokenError:
            if asked_at_s < self._ends_at_s:
                return  # what there is still lives; asked again at the next call
            raise
        self._token, self._ends_at_s = token, asked_at_s + lives_s
        self._renew_at_s = asked_at_s + RENEWED_AT * lives_s

    def _asked(self) -> tuple[str, float]:
        """A new token of the endpoint, and for how many seconds it lives."""
        headers = {"Authorization": f"Basic {self._login}", "Accept": "application/json"}
        request = urllib.request.Request(self.url, urlencode(self._form).encode(), headers)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                body = _read_in_time(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                word = _error_code(refusal.read(ANSWER_BYTES_MAX))
            raise self._error(f"it answers {refusal.code}{word}") from None
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise self._error(f"no answer: {printable(str(reason))}") from None
        return self._read(body)

    def _read(self, body: bytes) -> tuple[str, float]:
        try:
            answer = json.loads(body) if len(body) <= ANSWER_BYTES_MAX else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._error("its answer is no JSON object")
        token, kind, lives_s = (answer.get(name, "") for name in ("access_token", "token_type", "expires_in"))
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise self._error("its answer has no usable access_token")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise self._error("the token_type of its answer is not Bearer")
        if isinstance(lives_s, str) and lives_s.isdecimal():  # some servers write it so
            lives_s = float(lives_s)
        if (
            isinstance(lives_s, bool)
            or not isinstance(lives_s, (int, float))
            or not 1 <= lives_s <= LIFE_S_MAX
        ):
            raise self._error(f"its answer has no expires_in from 1 to {LIFE_S_MAX:,} seconds")
        return token, float(lives_s)

    def _error(self, why: str) -> TokenError:
        return TokenError(f"no token from STREAM_OAUTH_TOKEN_URL = {self.url}: {why}")


def _read_in_time(answer: Any) -> bytes:
    """The body; TimeoutError where it comes too slowly as a whole. One that is too long is cut."""
    body, until_s = b"", time.monotonic() + TIMEOUT_S
    while len(body) <= ANSWER_BYTES_MAX and (part := answer.read1(ANSWER_BYTES_MAX)):
        body += part
        if time.monotonic() > until_s:
            raise TimeoutError(f"it was not whole within {TIMEOUT_S:.0f} s")
    return body


def _error_code(body: bytes) -> str:
    """The code of an error of RFC 6749, section 5.2, in words that may follow a number."""
    try:
        found = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    hints = {"invalid_client": ": STREAM_OAUTH_CLIENT_ID or STREAM_OAUTH_CLIENT_SECRET is wrong"}
    hints["invalid_scope"] = ": STREAM_OAUTH_SCOPE is not allowed"
    known = isinstance(found, str) and found.replace("_", "").isalnum() and len(found) <= 40
    return f" ({found}){hints.get(found, '')}" if known else ""


class _Provider(AbstractTokenProvider):  # type: ignore[misc]
    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def token(self) -> str:
        """For aiokafka: the endpoint is asked in another thread; without a token it tries again."""
        try:
            return (await asyncio.to_thread(self._source))[0]
        except TokenError as error:
            raise KafkaConnectionError(str(error)) from error


@cache
def token_source(settings: Settings) -> TokenSource:
    """The one source of a process with these settings."""
    return TokenSource(settings)


def librdkafka_login(settings: Settings) -> dict[str, Any]:
    """The settings of confluent-kafka's clients that log in; none without SASL."""
    if not settings.security.startswith("SASL"):
        return {}
    login: dict[str, Any] = {"sasl.mechanism": settings.sasl_mechanism}
    if settings.sasl_mechanism == "OAUTHBEARER":
        return {**login, "oauth_cb": token_source(settings)}
    return {**login, "sasl.username": settings.sasl_username, "sasl.password": settings.sasl_password}
