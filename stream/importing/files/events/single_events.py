"""A row becomes one event by itself: engagement, feedback, identities and cancellations."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec

from stream.core.events.event import EVENT_BY_NAME, Event
from stream.importing.files.events.event_ids import content_hash, event_id, event_time
from stream.importing.files.events.line_values import LineRejection
from stream.importing.files.events.order_lines import LineReader
from stream.importing.files.events.scores import set_score
from stream.importing.files.mapping.mapping import MAPPING_FIELDS, ColumnMapping
from stream.importing.files.reading.row import Values

TOUCH = {"product_id": "product", "category": "category", "cart_id": "cart", "session_id": "session"}
MESSAGE = {"message_id": "message", "channel": "channel", "link": "link", "bot": "bot"}
TICKET = {"ticket_id": "ticket", "topic": "topic", "text": "text", "order_id": "order", "channel": "channel"}
LOYALTY = {"program_id": "program"}
PROMOTION = {"promotion_id": "promotion", "channel": "channel"}


def _fields_of_one_name(event_type: type[Event]) -> dict[str, str]:
    """Data field -> field of the mapping that has the same name, or the name without `_id`."""
    names = getattr(get_type_hints(event_type)["data"], "__struct_fields__", ())
    return {name: name.removesuffix("_id") for name in names if name.removesuffix("_id") in MAPPING_FIELDS}


DATA_FIELDS: dict[str, dict[str, str]] = {
    **{kind: _fields_of_one_name(event_type) for kind, event_type in EVENT_BY_NAME.items()},
    "purchase.cancelled": {"order_id": "order", "reason": "reason"},
    "engagement.product_viewed": TOUCH,
    "engagement.product_added": TOUCH,
    "engagement.product_removed": TOUCH,
    "engagement.wishlisted": TOUCH,
    "engagement.checkout_started": {"cart_id": "cart", "order_id": "order", "session_id": "session"},
    "engagement.searched": {"query": "query", "category": "category", "session_id": "session"},
    "engagement.session_started": {"session_id": "session", "channel": "channel"},
    **dict.fromkeys((kind for kind in EVENT_BY_NAME if kind.startswith("engagement.message_")), MESSAGE),
    **dict.fromkeys((kind for kind in EVENT_BY_NAME if kind.startswith("engagement.loyalty_")), LOYALTY),
    **dict.fromkeys((kind for kind in EVENT_BY_NAME if kind.startswith("engagement.promotion_")), PROMOTION),
    "feedback.reviewed": {
        **{
            "review_id": "review",
            "rating": "rating",
            "rating_max": "rating_max",
            "rating_min": "rating_min",
            "product_id": "product",
        },
        **{"category": "category", "review_body": "text", "language": "language", "order_id": "order"},
    },
    "feedback.survey_answered": {
        **{"response_id": "review", "score": "rating", "score_max": "rating_max", "text": "text"},
        **{"order_id": "order", "channel": "channel"},
    },
    "feedback.ticket_opened": TICKET,
    "feedback.complained": TICKET,
    "feedback.ticket_resolved": {"ticket_id": "ticket", "topic": "topic"},
    "customer.identified": {"country": "country", "timezone": "timezone"},
    "customer.erased": {"reason": "reason"},
}
"""Event type -> field of its data -> field of the mapping."""
OWN_IDS = {"message_id", "session_id", "review_id", "response_id", "ticket_id", "program_id", "promotion_id"}
"""Without a column, these ids are the event id."""
BOT_WORDS = {
    **dict.fromkeys(("true", "yes", "y", "t", "1", "bot", "machine"), True),
    **dict.fromkeys(("false", "no", "n", "f", "0", "human"), False),
}
"""What a column says of an opening: whether a program opened the message, not the customer."""
TEXT_MAX = 256
LONG_TEXT_MAX = {"review_body": 20_000, "text": 20_000, "link": 2_048}
"""Characters that are kept, as the event contract allows."""


def is_once_per_row(kind: str) -> bool:
    """Whether a row with several products is one event (a checkout), not one for each product (a view)."""
    return DATA_FIELDS.get(kind) is not TOUCH


class EventReader:
    """Reads events that are not orders by one mapping."""

    def __init__(self, mapping: ColumnMapping, lines: LineReader) -> None:
        self._mapping = mapping
        self._lines = lines

    def event(self, kind: str, values: Values) -> Event | LineRejection:
        """The event of type `kind` in a row."""
        customer, time_ms = self._lines.customer(values), self._lines.time_ms(values)
        if isinstance(customer, LineRejection):
            return customer
        if isinstance(time_ms, LineRejection):
            return time_ms
        name = values.get("id", "").strip() or content_hash(self._mapping.source, kind, *values.values())
        if self._mapping.items and DATA_FIELDS.get(kind) is TOUCH and values.get("id"):
            name = event_id(
                name, values.get("product", "").strip()
            )  # one row may be events of several products
        data = self._data(kind, values, name)
        if isinstance(data, LineRejection):
            return data
        try:
            return msgspec.convert(
                {
                    "type": kind,
                    "id": name,
                    "source": self._mapping.source,
                    "subject": customer,
                    "time": event_time(time_ms),
                    "data": data,
                },
                EVENT_BY_NAME[kind],
                strict=False,
            )
        except msgspec.ValidationError as failure:
            return LineRejection("data_invalid", str(failure))

    def _data(self, kind: str, values: Values, name: str) -> dict[str, Any] | LineRejection:
        data: dict[str, Any] = {}
        for field, column in DATA_FIELDS.get(kind, {}).items():
            text = values.get(column, "").strip()
            if text:
                data[field] = text[: LONG_TEXT_MAX.get(field, TEXT_MAX)]
            elif field in OWN_IDS and field != "session_id":
                data[field] = name
        if kind == "engagement.session_started":
            data.setdefault("session_id", name)
        if kind.startswith("engagement.message_"):
            data.setdefault("channel", "email")
        return (
            _set_bot(data)
            or set_score(kind, values, data)
            or self._set_money(kind, values, data)
            or self._with_nested(kind, values, data)
        )

    def _set_money(self, kind: str, values: Values, data: dict[str, Any]) -> LineRejection | None:
        """Set the price of a product or the total of a checkout; without a currency there is none."""
        field, column = ("price_minor", "unit_price") if DATA_FIELDS.get(kind) is TOUCH else ("", "")
        if kind == "engagement.checkout_started":
            field, column = "total_minor", "order_total"
        currency = self._lines.currency(values)
        if not field or isinstance(currency, LineRejection):
            return None
        amount = self._lines.amount(column, values.get(column, ""), currency)
        if isinstance(amount, LineRejection):
            return amount
        if amount is not None:
            data[field] = amount
        return None

    def _with_nested(self, kind: str, values: Values, data: dict[str, Any]) -> dict[str, Any]:
        campaign = values.get("campaign_id", "").strip() or values.get("campaign_name", "").strip()
        channel = values.get("channel", "").strip()
        if kind == "customer.identified" and (campaign or channel):
            data["acquired"] = {"campaign": campaign or None, "channel": channel or None}
        elif campaign and (DATA_FIELDS.get(kind) in (MESSAGE, PROMOTION) or kind.endswith("session_started")):
            data["campaign"] = {
                field: values.get(f"campaign_{field}", "").strip() or None
                for field in ("name", "source", "medium")
            } | {"id": campaign}
        if kind == "feedback.survey_answered":
            survey = values.get("survey", "").strip() or "survey"
            data["survey"] = {"id": survey, "kind": values.get("survey_kind", "").strip().lower() or "nps"}
        return data


def _set_bot(data: dict[str, Any]) -> LineRejection | None:
    """Whether a program opened a message, as a truth value."""
    if "bot" not in data:
        return None
    text = data.pop("bot")
    if text.lower() not in BOT_WORDS:
        return LineRejection(
            "bot_unreadable", f"bot is {text!r}; say what it means: [values.bot] {text!r} = true"
        )
    if BOT_WORDS[text.lower()]:
        data["bot"] = True
    return None
