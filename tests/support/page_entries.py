"""Rows of the page's store, made by hand."""

from __future__ import annotations

import msgspec

from stream.core.units import DAY_MS
from stream.page.entries import OpenEntry, mean_and_variance
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
        currency, stake // 2, stake, stake * 2, mean, variance, mean * change, data,
    )  # fmt: skip
    return msgspec.structs.replace(entry, **more)
