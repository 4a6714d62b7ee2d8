"""What people remark on alerts, as forms: who may, who it was, and where the page goes on.

A form is taken only when it comes from a page of this server: the cookie is SameSite=Strict, the form
carries a ticket that belongs to it, and an Origin, where the browser names one, is a host that is known.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote, urlsplit

from aiohttp import web

from stream.page.live.actions import SAYS, ActionError, Remark

COOKIE = "stream_session"
ACT_PATH = "/act"
FORM_BYTES_MAX = 1 << 16
ACTOR_LETTERS_MAX = 256


class Listener(Protocol):
    """Where remarks go."""

    def say(self, remark: Remark) -> None:
        """Write it. ActionError; blocks."""


class Tickets:
    """Ties the forms of a page to the cookie of the browser that they were made for."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def session(self, request: web.Request) -> str:
        """The session of a browser; a new one where it has none."""
        found = request.cookies.get(COOKIE, "")
        return found if len(found) == 43 and found.isascii() else secrets.token_urlsafe(32)

    def ticket(self, session: str) -> str:
        """What a form of this session carries."""
        return hmac.new(self._key, session.encode(), hashlib.sha256).hexdigest()

    def keep(self, answer: web.StreamResponse, request: web.Request, session: str) -> None:
        """Give the browser its session, where it does not have it."""
        if request.cookies.get(COOKIE) != session:
            answer.set_cookie(COOKIE, session, httponly=True, samesite="Strict", path="/")

    def fits(self, request: web.Request, ticket: str) -> bool:
        """Whether a form of this browser was made by this process."""
        session = request.cookies.get(COOKIE, "")
        return bool(session) and hmac.compare_digest(ticket.encode(), self.ticket(session).encode())


class Acting:
    """Answers forms."""

    def __init__(
        self,
        live: Listener,
        is_known_host: Callable[[str], bool],
        customer_of: Callable[[str], str],
        *,
        user: str,
        header: str,
    ) -> None:
        """`user`: who acts, where no `header` of the reverse proxy names somebody. `customer_of`: the
        customer whom pages show so; empty: there is none."""
        self._live, self._is_known_host = live, is_known_host
        self.tickets = Tickets()
        self._user, self._header, self._customer_of = user, header, customer_of

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Write what the form says, and go back to its page. HTTPForbidden, HTTPBadRequest, ActionError."""
        origin = request.headers.get("Origin", "")
        if origin and not self._is_known_host(urlsplit(origin).netloc):
            raise web.HTTPForbidden(text="This form is not from a page of this dashboard.\n")
        form = await request.post()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if not self.tickets.fits(request, fields.get("ticket", "")):
            raise web.HTTPForbidden(text="This page is too old to act from: load it again.\n")
        says = fields.get("says", "")
        if says not in SAYS or not fields.get("customer"):
            raise web.HTTPBadRequest(text=f"says is {says!r}; allowed: {', '.join(SAYS)}\n")
        undoes, _, undone_says = fields.get("undoes", "").partition(" ")
        customer = await asyncio.to_thread(self._customer_of, unquote(fields["customer"]))
        if not customer:
            raise ActionError("this customer is not known any more: load the page again")
        remark = Remark(says, customer, fields.get("alert", ""), self._actor(request), undoes, undone_says)
        await asyncio.to_thread(self._live.say, remark)
        raise web.HTTPSeeOther(_way_back(fields.get("back", "")))

    def _actor(self, request: web.Request) -> str:
        named = request.headers.get(self._header, "") if self._header else ""
        return (named.strip() or self._user)[:ACTOR_LETTERS_MAX]


def _way_back(address: str) -> str:
    """The page that the form was on: a path of this server, never another site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or address.startswith(("//", "/\\")):
        return "/"
    return address.replace("\r", "").replace("\n", "")


__all__ = ["ACT_PATH", "Acting", "ActionError", "Tickets"]
