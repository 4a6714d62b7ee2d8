"""Every address is checked where the connection is made: names by the resolver, and each socket once more.

A check of the URL beforehand would be worth nothing: a name may have another address a moment later.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from stream.deliver.plan.addresses import Network, remedy, why_refused


class RefusedAddressError(OSError):
    """An address that must not be reached; the message names it and the remedy."""


class GuardedResolver(AbstractResolver):
    """Looks a name up, and refuses it when any of its addresses must not be reached."""

    def __init__(self, allowed: Sequence[Network], lookup: AbstractResolver | None = None) -> None:
        self._allowed = allowed
        self._lookup = lookup or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. RefusedAddressError; OSError when there are none."""
        found = await self._lookup.resolve(host, port, family)
        for each in found:
            refused = why_refused(each["host"], self._allowed)
            if refused:
                raise RefusedAddressError(f"{host} is {each['host']}, {refused}{remedy(each['host'])}")
        return found

    async def close(self) -> None:
        await self._lookup.close()


def guarded_socket(allowed: Sequence[Network]) -> Any:
    """A socket factory for aiohttp's connector; RefusedAddressError before anything is sent."""

    def factory(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = address
        refused = why_refused(str(place[0]), allowed)
        if refused:
            raise RefusedAddressError(f"{place[0]}, {refused}{remedy(str(place[0]))}")
        return socket.socket(family=family, type=kind, proto=protocol)

    return factory
