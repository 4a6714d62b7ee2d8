"""Alerts as they are on the topic, made from the published examples."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from stream.core.alerts.alert import rfc3339
from tests.support.pages import ROOT

NOW_MS = 1_764_500_000_000
DAY_MS = 86_400_000
FAR_MS = 4_000_000_000_000
ENDS = ("cleared", "expired", "retracted")


@lru_cache
def _example(name: str) -> str:
    return (ROOT / "schemas" / "examples" / "alert" / "2" / f"good-{name}.json").read_text()


def alert_body(
    customer: str = "c1",
    state: str = "raised",
    *,
    kind: str = "at_risk_loyal",
    episode: int = 1,
    at_ms: int = NOW_MS,
    expires_ms: int | None = None,
    tier: str = "platinum",
    at_stake_minor: int = 50_000,
    arm: str = "",
) -> bytes:
    """One alert. Without `expires_ms` an alert that is no end expires 45 days after its time."""
    body: dict[str, Any] = json.loads(_example("at-risk-loyal-raised"))
    name = f"{kind}|{customer}|{episode}"
    identity = str(uuid5(NAMESPACE_URL, f"{name}|{state}"))
    body |= {"id": identity, "type": f"{kind}.{state}", "subject": customer, "partitionkey": customer}
    body |= {"time": rfc3339(at_ms), "correlationid": f"{name}|1"}
    body["expirytime"] = rfc3339(expires_ms if expires_ms is not None else at_ms + 45 * DAY_MS)
    if state in ENDS:
        del body["expirytime"]
    data = body["data"]
    data |= {"alert_id": identity, "dedupe_key": name, "kind": kind, "state": state}
    data["customer"]["tier"] = tier
    data["value_at_risk"] |= dict.fromkeys(("p10_minor", "p50_minor", "p90_minor"), at_stake_minor)
    if arm:
        data["experiment"] = {"arm": arm, "share": 0.1, "salt": "s", "period": "2025-11-01"}
    return json.dumps(body, separators=(",", ":")).encode()


def fresh_alert(customer: str, state: str = "raised", **more: Any) -> bytes:
    """One that was raised a moment ago, and expires in 2096: for processes with a real clock."""
    return alert_body(customer, state, at_ms=time.time_ns() // 1_000_000, expires_ms=FAR_MS, **more)


def ids_of(bodies: Iterable[bytes]) -> list[str]:
    return [json.loads(body)["id"] for body in bodies]
