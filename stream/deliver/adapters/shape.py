"""Adapters by name: what is posted for an alert, with which headers, and which answers are refusals."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from stream.deliver.adapters import tools
from stream.deliver.adapters.flat import flat_alert
from stream.deliver.adapters.tools import Json, ShapeOptions

AdapterName = Literal[
    "generic", "segment", "rudderstack", "klaviyo", "customerio", "braze", "hubspot", "iterable", "mautic",
    "slack",
]  # fmt: skip
"""generic: the alert as it is, signed. All others: a request of that tool's API."""
ADAPTERS: tuple[AdapterName, ...] = get_args(AdapterName)


class Adapter(Struct, frozen=True):
    """One tool."""

    body: Callable[..., Json]
    """From the alert and the options to what is posted."""
    headers: Callable[[str], dict[str, str]]
    """From the token to the headers that carry it."""
    needs_token: bool = True
    needs_event_name: bool = False
    refuses: Callable[[bytes], str] = lambda answer: ""
    """Why an answer with a status of 2xx is a refusal all the same; empty: it is none."""


class Shaped(Struct, frozen=True):
    """A request; the address is the endpoint's."""

    body: bytes
    headers: dict[str, str]


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _basic(token: str) -> dict[str, str]:
    """`user:password`; a key alone is a user without password."""
    pair = token if ":" in token else f"{token}:"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _klaviyo(token: str) -> dict[str, str]:
    return {
        "authorization": f"Klaviyo-API-Key {token}",
        "revision": tools.KLAVIYO_REVISION,
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
    }


_BY_NAME: dict[AdapterName, Adapter] = {
    "segment": Adapter(tools.track, _basic),
    "rudderstack": Adapter(tools.track, _basic),
    "klaviyo": Adapter(tools.klaviyo, _klaviyo),
    "customerio": Adapter(tools.customerio, _basic),
    "braze": Adapter(tools.braze, _bearer, refuses=tools.braze_refusal),
    "hubspot": Adapter(tools.hubspot, _bearer, needs_event_name=True),
    "iterable": Adapter(tools.iterable, lambda token: {"api-key": token}),
    "mautic": Adapter(tools.mautic, _basic),
    "slack": Adapter(tools.slack, lambda token: {}, needs_token=False),
}


def adapter_of(name: AdapterName) -> Adapter | None:
    """The adapter of that name; None for `generic`, which sends the alert itself."""
    return _BY_NAME.get(name)


def shaped(adapter: Adapter, body: bytes, token: str, options: ShapeOptions) -> Shaped:
    """The request for an alert: the same bytes for the same alert. msgspec.MsgspecError: it is no alert."""
    posted = msgspec.json.encode(adapter.body(flat_alert(body), options))
    return Shaped(posted, {"content-type": "application/json", **adapter.headers(token)})
