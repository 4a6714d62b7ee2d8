"""Every message type of the contract: name, topic, direction and struct."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, structs

from stream.contracts.profile_record import ProfileRecord
from stream.core.alerts.alert import Alert
from stream.core.alerts.delivery import DeliveryRecord
from stream.core.events.event import EVENT_TYPES, type_name
from stream.core.view.profile_view import ProfileView

Direction = Literal["in", "out"]


class Contract(Struct, frozen=True):
    """One message type; `topic` is the middle of the topic's name `customers.<topic>.v1`."""

    name: str
    topic: str
    direction: Direction
    struct: type[Struct]
    also_on: str = ""
    """Another topic with the same messages."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics with these messages."""
        return (self.topic, self.also_on) if self.also_on else (self.topic,)

    @property
    def meaning(self) -> str:
        """The first line of the docstring of the message's data."""
        data = next(
            (field.type for field in structs.fields(self.struct) if field.name == "data"), self.struct
        )
        described = next(part for part in getattr(data, "__args__", (data,)) if issubclass(part, Struct))
        return (described.__doc__ or "").strip().partition("\n")[0]


def contracts() -> tuple[Contract, ...]:
    """All message types of this version: input events, alert, delivery, profile and its view."""
    events = (
        Contract(type_name(event_type), topic, "in", event_type)
        for topic, event_types in EVENT_TYPES.items()
        for event_type in event_types
    )
    return (
        *events,
        Contract("alert", "alerts", "out", Alert, also_on="alerts.shadow"),
        Contract("delivery", "deliveries", "out", DeliveryRecord),
        Contract("profile", "profiles", "out", ProfileRecord),
        Contract("profile_view", "profiles.view", "out", ProfileView),
    )
