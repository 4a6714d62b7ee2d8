"""What may be written in the endpoints file: these structs alone define it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream.core.judgement.episode import AlertState
from stream.core.policy.policy import AlertKind
from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from stream.deliver.adapters.shape import AdapterName
from stream.deliver.plan.contact import ConsentNeeded

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[str, Meta(min_length=1, max_length=1_024)]
Path = Annotated[str, Meta(min_length=1, max_length=4_096)]
Variable = Annotated[str, Meta(min_length=1, max_length=200)]


class EndpointEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section [endpoints.NAME]."""

    url: Text
    """https, or http where `allow_http` is true."""
    secret_file: Path | None = None
    secret_env: Variable | None = None
    previous_secret_file: Path | None = None
    previous_secret_env: Variable | None = None
    previous_until: Text | None = None
    """Until when messages carry a second signature, by the previous secret: at most seven days ahead."""

    adapter: AdapterName = "generic"
    """How an alert is written: `generic` is the alert itself, signed; the others are requests of a tool."""
    token_file: Path | None = None
    token_env: Variable | None = None
    """Key of the tool's API."""
    customer_is: Literal["id", "email"] = "id"
    """What the id of a customer is in that tool."""
    event_name: Text | None = None
    """Name of the event there; without one it is kind and state: `alert_at_risk_loyal_raised`."""

    kinds: tuple[AlertKind, ...] = ()
    tiers: tuple[Name, ...] = ()
    states: tuple[AlertState, ...] = ()
    arms: tuple[Literal["treated"], ...] = ()
    """`["treated"]`: only alerts of an experiment. What is held out is never sent."""
    at_stake_min_minor: Annotated[int, Meta(ge=0, le=10**15)] = 0

    order: Literal["customer", "none"] = "customer"
    concurrency: Annotated[int, Meta(ge=1, le=256)] = 16
    """Attempts under way at the same time."""
    rate_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """0: no limit."""
    rate_burst: Annotated[int, Meta(ge=1, le=10_000)] = 10
    quiet_hours: Text | None = None
    """`21:00-08:00`, by the customer's time zone, or the file's where that is not known."""
    contact: bool = True
    """Whether customers are contacted because of what it gets."""
    consent: ConsentNeeded = "not_denied"
    """Which consent to what an alert recommends is needed; `granted`: an unknown one is not enough."""
    timeout_ms: Annotated[int, Meta(ge=SECOND_MS, le=MINUTE_MS)] = 15 * SECOND_MS

    allow_http: bool = False
    allow_networks: Annotated[tuple[Text, ...], Meta(max_length=32)] = ()
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None


class BudgetEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section [budget]: the contact budget of a customer, over all kinds of alerts and all endpoints."""

    contacts_max: Annotated[int, Meta(ge=1, le=1_000)]
    window_ms: Annotated[int, Meta(ge=HOUR_MS, le=365 * DAY_MS)] = 7 * DAY_MS


class EndpointsEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    endpoints: Annotated[dict[Name, EndpointEntry], Meta(min_length=1, max_length=100)]
    zone: Text = "UTC"
    """Time zone of the business: of quiet hours where the customer's is not known."""
    budget: BudgetEntry | None = None
    """None: no limit."""
    late_max_ms: Annotated[int, Meta(ge=MINUTE_MS, le=365 * DAY_MS)] = 3 * DAY_MS
    """An alert that was written longer than this after its time is of a history, and not sent."""
    keep_ms: Annotated[int, Meta(ge=DAY_MS, le=400 * DAY_MS)] = 90 * DAY_MS
    """How long deliveries are kept after their outcome: for `undelivered` and `resend`, and so that the end
    of an episode is sent where its beginning was."""
