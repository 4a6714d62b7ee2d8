"""What each tool is sent for an alert. The alert's id fills the tool's own key against repeats.

Each function names the page that it follows; all were read in November 2026.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import Struct

from stream.deliver.adapters.flat import FlatAlert

Json = dict[str, Any]
KLAVIYO_REVISION = "2026-10-15"
"""Of Klaviyo's API: it keeps each for two years."""
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ENDS = ("cleared", "expired", "retracted")


class ShapeOptions(Struct, frozen=True):
    """What an endpoint says of its tool."""

    customer_is: Literal["id", "email"] = "id"
    """What the id of a customer is there."""
    event_name: str = ""
    """Of the event in the tool; empty: kind and state of the alert."""


def track(alert: FlatAlert, options: ShapeOptions) -> Json:
    """Segment and RudderStack, POST /v1/track: `messageId` is their key against repeats.

    https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
    https://www.rudderstack.com/docs/api/http-api/
    """
    found: Json = {
        "userId": alert.customer,
        "event": options.event_name or alert.name,
        "messageId": alert.alert_id,
        "timestamp": alert.time,
        "properties": alert.properties,
    }
    if options.customer_is == "email":
        found["context"] = {"traits": {"email": alert.customer}}
    return found


def klaviyo(alert: FlatAlert, options: ShapeOptions) -> Json:
    """POST https://a.klaviyo.com/api/events: of events with one `unique_id` the first counts.

    https://developers.klaviyo.com/en/reference/create_event
    """
    field = "email" if options.customer_is == "email" else "external_id"
    metric = {"type": "metric", "attributes": {"name": options.event_name or alert.name}}
    profile = {"type": "profile", "attributes": {field: alert.customer}}
    attributes: Json = {
        "properties": alert.properties,
        "time": alert.time,
        "unique_id": alert.alert_id,
        "metric": {"data": metric},
        "profile": {"data": profile},
    }
    return {"data": {"type": "event", "attributes": attributes}}


def customerio(alert: FlatAlert, options: ShapeOptions) -> Json:
    """POST https://track.customer.io/api/v2/entity: `id`, a ULID, is the key against repeats.

    https://docs.customer.io/api/track/#operation/entity
    """
    return {
        "type": "person",
        "identifiers": {options.customer_is: alert.customer},
        "action": "event",
        "name": options.event_name or alert.name,
        "id": ulid_of(alert.alert_id),
        "timestamp": _seconds(alert.time),
        "attributes": alert.properties,
    }


def braze(alert: FlatAlert, options: ShapeOptions) -> Json:
    """POST https://rest.(instance).braze.com/users/track.

    It has no key against repeats: the alert's id is a property, by which a campaign can leave them out.
    https://www.braze.com/docs/api/endpoints/user_data/post_user_track/
    """
    field = "email" if options.customer_is == "email" else "external_id"
    event: Json = {
        field: alert.customer,
        "name": options.event_name or alert.name,
        "time": alert.time,
        "properties": alert.properties,
    }
    return {"events": [event]}


class _BrazeAnswer(Struct):
    errors: tuple[Any, ...] = ()


def braze_refusal(answer: bytes) -> str:
    """Braze says `success` with a list of errors when it takes none of the events."""
    try:
        errors = msgspec.json.decode(answer, type=_BrazeAnswer).errors
    except msgspec.MsgspecError:
        return ""
    return f"errors in the answer: {msgspec.json.encode(errors).decode()}" if errors else ""


def hubspot(alert: FlatAlert, options: ShapeOptions) -> Json:
    """POST https://api.hubapi.com/events/v3/send: of events with one `uuid` the first counts, for a year.

    https://developers.hubspot.com/docs/api-reference/latest/events/send-event-data/guide
    """
    field = "email" if options.customer_is == "email" else "objectId"
    return {
        "eventName": options.event_name,
        field: alert.customer,
        "uuid": alert.alert_id,
        "occurredAt": alert.time,
        "properties": {f"alert_{name}".replace("alert_alert_", "alert_"): value
                       for name, value in alert.properties.items()},
    }  # fmt: skip


def iterable(alert: FlatAlert, options: ShapeOptions) -> Json:
    """POST https://api.iterable.com/api/events/track: one with a known `id` is written over.

    https://api.iterable.com/api/docs#events_track
    """
    field = "email" if options.customer_is == "email" else "userId"
    return {
        field: alert.customer,
        "eventName": options.event_name or alert.name,
        "id": alert.alert_id,
        "createdAt": _seconds(alert.time),
        "dataFields": alert.properties,
    }


def mautic(alert: FlatAlert, options: ShapeOptions) -> Json:
    """POST https://(mautic)/api/contacts/new: makes the contact, or changes the one with this unique field.

    It has no events of others, so an open alert is a tag, which its end takes away: a repeat changes nothing.
    https://devdocs.mautic.org/en/latest/rest_api/contacts.html
    """
    field = "email" if options.customer_is == "email" else "customer_id"
    tag = options.event_name or f"alert_{alert.kind}"
    fields = ("state", "headline", "why", "at_stake", "to_do", "until")
    words = {f"alert_{name}": alert.properties.get(name, "") for name in fields}
    over = alert.state in ENDS
    return {
        field: alert.customer,
        "tags": [f"-{tag}" if over else tag],
        "alert_id": alert.alert_id,
        **words,
        "overwriteWithBlank": True,
    }


def slack(alert: FlatAlert, options: ShapeOptions) -> Json:
    """A message for an incoming webhook of Slack, Mattermost, Rocket.Chat or Discord (`/slack`).

    They know no repeats: the id is at the end of the message. `&`, `<` and `>` are written as Slack asks.
    https://api.slack.com/reference/surfaces/formatting
    """
    found = alert.properties
    lines = [f"*{_escaped(found.get('headline', alert.name))}*", f"Customer: {_escaped(alert.customer)}"]
    why = "" if alert.state in ENDS else "Why"
    titles = (("why", why), ("at_stake", "At stake"), ("to_do", "To do"), ("until", ""))
    for name, title in titles:
        if name in found:
            lines.append(f"{title}: {_escaped(found[name])}" if title else _escaped(found[name]))
    lines.append(f"_{_escaped(alert.alert_id)}_")
    return {"text": "\n".join(lines)}


def ulid_of(uuid: str) -> str:
    """The 128 bits of a UUID as a ULID writes them: 26 letters in Crockford's base 32.

    https://github.com/ulid/spec
    """
    try:
        number = UUID(uuid).int
    except ValueError:  # an alert of another program
        number = uuid5(NAMESPACE_URL, uuid).int
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())


def _escaped(words: object) -> str:
    return str(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
