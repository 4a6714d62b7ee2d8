"""An endpoint as it is used: what the file says, with its secrets, networks and certificates read."""

from __future__ import annotations

import ssl

from msgspec import Struct

from stream.deliver.adapters.shape import Adapter
from stream.deliver.adapters.tools import ShapeOptions
from stream.deliver.plan.addresses import Network
from stream.deliver.plan.admission import Filter
from stream.deliver.plan.contact import Budget, ConsentNeeded
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.plan.tokens import Rate


class Endpoint(Struct, frozen=True, kw_only=True):
    """One endpoint. Its secrets are never shown."""

    name: str
    url: str
    key: bytes
    """Signs; empty: nothing is signed."""
    adapter: Adapter | None = None
    """None: the alert is sent as it is."""
    token: str = ""
    shape: ShapeOptions = ShapeOptions()
    previous_key: bytes | None = None
    previous_until_ms: int = 0
    wanted: Filter = Filter()
    ordered: bool = True
    """Alerts of one customer one after the other; other customers pass."""
    concurrency: int = 16
    rate: Rate | None = None
    quiet: QuietHours | None = None
    contact: bool = True
    """Customers are contacted because of what it gets: consent and the contact budget hold, and quiet hours
    go by the customer's clock. False: only people of the business see it."""
    consent: ConsentNeeded = "not_denied"
    timeout_s: float = 15.0
    networks: tuple[Network, ...] = ()
    """Networks that may be reached although they are not public."""
    tls: ssl.SSLContext | None = None
    """None: the authorities of the system, no client certificate."""

    def keys(self, at_ms: int) -> tuple[bytes, ...]:
        """The keys that sign at an instant, the present one first."""
        if self.previous_key is not None and at_ms < self.previous_until_ms:
            return self.key, self.previous_key
        return (self.key,) if self.key else ()

    def __repr__(self) -> str:
        return f"Endpoint({self.name})"


class Endpoints(Struct, frozen=True, kw_only=True):
    """All endpoints of a file, and what holds for each."""

    by_name: dict[str, Endpoint]
    late_max_ms: int
    keep_ms: int
    budget: Budget | None = None
    """None: no limit."""

    def held_to_budget(self) -> list[str]:
        """The endpoints at which customers are contacted."""
        return [name for name, each in self.by_name.items() if each.contact]
