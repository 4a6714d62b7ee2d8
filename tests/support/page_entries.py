"""Rows of the page's store, made by hand."""

from __future__ import annotations

import msgspec

from stream.core.alerts.alert import Alert
from stream.core.facts.engagement import Channel
from stream.core.facts.feedback import Theme
from stream.core.facts.profile import Profile
from stream.core.units import DAY_MS
from stream.core.value.swanson import mean_and_variance
from stream.page.entries import OpenEntry
from tests.support.builders import at

NOW_MS = at(400)
CALL = b'{"code":"call","text":"Call them.","because":"RETURNS","channels":["call"],"consent":"not_needed"}'


def opened(
    customer: str,
    stake: int = 10_000,
    change: float = 0.5,
    *,
    kind: str = "at_risk_loyal",
    days: float = 10.0,
    currency: str = "EUR",
    risk: float = 0.5,
    **more: object,
) -> OpenEntry:
    """One open alert; `stake` is the 50th percentile in minor units, `change` the rise of the score."""
    data = (
        b'{"alert_id":"a","dedupe_key":"d","kind":"%b","state":"raised","episode":{"n":1,"opened_at":""},'
        b'"policy":{"id":"p","version":1,"hash":"h","model":"m"},"customer":{"tier":"gold","stage":"loyal",'
        b'"rfm":"555","purchase_days":9,"tenure_days":300},"score":{"name":"s","value":0.8,"scale":"share",'
        b'"base":0,"previous":0,"raise_at":0.6,"clear_at":0.4},"evidence":[{"code":"RETURNS","feature":"f",'
        b'"observed":0.5,"unit":"share","contribution":0.5}],"recommended_action":%b}' % (kind.encode(), CALL)
    )
    mean, variance = mean_and_variance(stake / 2, stake, stake * 2)
    entry = OpenEntry(
        customer, kind, 1, 0, NOW_MS - round(days * DAY_MS), 2, 1, NOW_MS - 40 * DAY_MS, 0.8, 0.8 - change,
        currency, stake // 2, stake, stake * 2, mean, variance, mean * change, mean * risk, data,
    )  # fmt: skip
    return msgspec.structs.replace(entry, **more)


def hostile_texts() -> list[str]:
    """Markup, a turned direction, a very long word, a NUL, quotes that would end an attribute."""
    return [
        "<script>alert(1)</script><img src=x onerror=alert(2)>",
        "\"' onmouseover=alert(1) x='",
        "a\u202egnp.exe\u2066",
        "nul\0nul",
        "x" * 10_000,
    ]


def with_text_everywhere(
    profiles: list[Profile], alerts: list[Alert], text: str
) -> tuple[list[Profile], list[Alert]]:
    """The same customer with `text` in place of every name: id, campaign, channel, country, categories,
    themes, tickets, orders, channels of messages; and in the words of alerts."""
    (profile,) = profiles
    profile.customer = text
    who = profile.identity
    who.campaign, who.channel, who.country = text, text, text
    profile.interests.looked = dict.fromkeys([f"look {text}"], 1e300)
    profile.interests.bought = dict.fromkeys([f"buy {text}"], 1e300)
    profile.feedback.themes = {text: Theme(1, 2, 1.0, -1.0)}
    profile.feedback.opened = dict.fromkeys([text], profile.touch_at_ms)
    profile.engagement.channels = {text: Channel(delivered=3, opened=1, sessions=2)}
    profile.touch = text
    orders = profile.buying.orders
    orders[-1] = msgspec.structs.replace(orders[-1], order_id=text)
    return [profile], [_with_text(alert, text) for alert in alerts]


def _with_text(alert: Alert, text: str) -> Alert:
    data = alert.data
    evidence = tuple(
        msgspec.structs.replace(each, themes=(text,), categories=(text,)) for each in data.evidence
    )
    action = data.recommended_action
    if action is not None:
        action = msgspec.structs.replace(action, text=text, channels=(text,))
    data = msgspec.structs.replace(data, evidence=evidence, recommended_action=action)
    return msgspec.structs.replace(alert, subject=text, data=data)
