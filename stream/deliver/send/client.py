"""An attempt: one signed POST over HTTPS, and what its answer says. Nothing here decides what follows."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

import aiohttp
import msgspec

from stream import __version__
from stream.deliver.adapters.shape import Adapter, shaped
from stream.deliver.endpoints.endpoint import Endpoint
from stream.deliver.plan.signature import signed_headers
from stream.deliver.plan.verdict import Answer, Failure
from stream.deliver.send.guard import GuardedResolver, RefusedAddressError, guarded_socket
from stream.printable import printable

ANSWER_BYTES_MAX = 20_000
"""So much of an answer's body is read; the connection is closed on the rest."""
EXCERPT_CHARACTERS_MAX = 200
DETAIL_CHARACTERS_MAX = 300
RETRY_AFTER_CHARACTERS_MAX = 100
TLS_ERRORS = (aiohttp.ClientSSLError, ssl.SSLError, aiohttp.ClientConnectorCertificateError)
TOKEN_HEADERS = frozenset({"authorization", "api-key"})
"""They hold the key of a tool's API: never shown."""
AGENT = f"customer-stream/{__version__}"


class Client:
    """Makes attempts at one endpoint, over connections that it keeps. Use it as a context manager."""

    def __init__(self, endpoint: Endpoint, resolver: Any = None) -> None:
        """`resolver`: looks names up; the system's by default."""
        self._endpoint = endpoint
        connector = aiohttp.TCPConnector(
            ssl=endpoint.tls or True,
            limit=endpoint.concurrency,
            resolver=GuardedResolver(endpoint.networks, resolver),
            socket_factory=guarded_socket(endpoint.networks),
            use_dns_cache=False,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=endpoint.timeout_s),
            auto_decompress=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def post(self, webhook_id: str, body: bytes, at_ms: int) -> Answer:
        """Send a body, signed for `at_ms`; every failure is an answer, except the task being cancelled."""
        endpoint = self._endpoint
        try:
            headers, body = request_of(endpoint, webhook_id, body, at_ms)
        except (msgspec.MsgspecError, ValueError) as error:
            return Answer(0, "invalid", f"the alert cannot be written for this tool: {error}")
        try:
            async with self._session.post(
                endpoint.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return await _answer(response, endpoint.adapter)
        except Exception as error:  # whatever an endpoint does, it is an answer of that endpoint
            failure, detail = _failure(error)
            return Answer(0, failure, printable(detail)[:DETAIL_CHARACTERS_MAX])


def request_of(endpoint: Endpoint, webhook_id: str, body: bytes, at_ms: int) -> tuple[dict[str, str], bytes]:
    """Headers and body of an attempt at an instant.

    MsgspecError, ValueError: no alert that can be written for the endpoint's tool.
    """
    headers = {"content-type": "application/json", "user-agent": AGENT, "accept-encoding": "identity"}
    if endpoint.adapter is not None:
        made = shaped(endpoint.adapter, body, endpoint.token, endpoint.shape)
        headers, body = headers | made.headers, made.body
    if keys := endpoint.keys(at_ms):
        headers |= signed_headers(keys, webhook_id, at_ms, body)
    return headers, body


async def _answer(response: aiohttp.ClientResponse, adapter: Adapter | None) -> Answer:
    """What a whole answer says; the exceptions of aiohttp when it is cut off."""
    begun = b""
    async for part in response.content.iter_any():
        begun += part[: ANSWER_BYTES_MAX - len(begun)]
        if len(begun) >= ANSWER_BYTES_MAX:
            response.close()
            break
    status = response.status
    failure: Failure | None = None if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "status"
    excerpt = printable(begun.decode("utf-8", "replace")[:EXCERPT_CHARACTERS_MAX])
    detail = f"status {status}"
    if failure == "redirect":
        detail += ": a redirect, which is not followed; put the new address into the endpoints file"
    elif failure and excerpt:
        detail += f": {excerpt}"
    if failure is None and adapter is not None and (refused := adapter.refuses(begun)):
        failure, detail = "refused", f"status {status}, but {printable(refused)}"
    retry_after = response.headers.get("Retry-After", "")[:RETRY_AFTER_CHARACTERS_MAX]
    return Answer(status, failure, detail[:DETAIL_CHARACTERS_MAX], retry_after, excerpt)


def _failure(error: BaseException) -> tuple[Failure, str]:
    """What kind of failure an exception is, and its text."""
    refused = _cause(error, RefusedAddressError)
    if refused is not None:
        return "address", str(refused)
    for kinds, failure, words in (
        (asyncio.TimeoutError, "timeout", "no whole answer in time"),
        (aiohttp.ClientConnectorDNSError, "dns", f"the name was not found: {getattr(error, 'os_error', '')}"),
        (TLS_ERRORS, "tls", _tls_words(error)),
        (aiohttp.ClientPayloadError, "cut", "the connection broke in the middle of the answer"),
        ((aiohttp.ClientConnectionError, OSError), "connect", str(error) or type(error).__name__),
    ):
        if isinstance(error, kinds):
            return cast(Failure, failure), words
    return "invalid", f"no answer in HTTP: {type(error).__name__}"


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The exception of that kind in a chain of causes."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return error
        inner = getattr(error, "os_error", None)
        error, seen = inner if isinstance(inner, kind) else error.__cause__ or error.__context__, seen + 1
    return None


def _tls_words(error: BaseException) -> str:
    wrong = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    words = getattr(wrong, "verify_message", "") or getattr(wrong, "reason", "") or str(wrong)
    return f"TLS: {words}"
