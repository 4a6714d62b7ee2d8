"""The gauges of alerts, for Prometheus: what is open and at stake, as the first page shows it, and whether
alerts keep their word, as the policy page does."""

from __future__ import annotations

from collections.abc import Callable

from stream.metrics import DashboardMetrics
from stream.page.screens.counts import open_counted
from stream.page.screens.policy.judged_alerts import Promised, judged_alerts
from stream.page.screens.view import View
from stream.page.store.store import ReadStore
from stream.page.web.kept_for import KeptFor
from stream.page.web.looked_up import LookedUp

KEPT_S = 3_600.0
"""What took long to count is counted again after an hour: horizons are at least days."""


def watch_open(metrics: DashboardMetrics, store: ReadStore, view: Callable[[], View]) -> None:
    """Count at a scrape what is open and not snoozed, by kind and currency. Alerts of which it is not known
    what is at stake are in the first gauge only; nothing has a sample while the store does not answer."""

    def count() -> dict[tuple[str, ...], tuple[int, float]]:
        by, as_of_ms = ("kind", "currency"), view().as_of_ms
        with store.reading() as reading:
            found = open_counted(reading, by, "1 = 1", muted_after_ms=as_of_ms)
        return {(kind, currency): (alerts, mean) for kind, currency, alerts, _, mean, _ in found}

    looked = LookedUp(count)

    def part(place: int) -> Callable[[], dict[tuple[str, ...], float]]:
        return lambda: {labels: both[place] for labels, both in (looked.get() or {}).items()}

    metrics.gauges.watch("dashboard_open_alerts", part(0))
    metrics.gauges.watch("dashboard_at_stake_minor", part(1))


def watch_promises(metrics: DashboardMetrics, store: ReadStore, view: Callable[[], View]) -> None:
    """Count at a scrape, from the store and as of the view of then. Without alerts shares have no sample,
    and nothing has one while the store does not answer."""
    kept = KeptFor(KEPT_S)

    def count() -> Promised:
        with store.reading() as reading:
            return judged_alerts(reading, view()).whole

    looked = LookedUp(lambda: kept.get("promises", count))

    def judged() -> dict[tuple[str, ...], float]:
        whole = looked.get()
        return {} if whole is None else {(): whole.judged}

    def shares() -> dict[tuple[str, ...], float]:
        whole = looked.get()
        if whole is None or not whole.judged:
            return {}
        low, high = whole.interval
        return {("value",): whole.got, ("low",): low, ("high",): high}

    def promised() -> dict[tuple[str, ...], float]:
        whole = looked.get()
        return {} if whole is None or not whole.judged else {(): whole.promised}

    metrics.gauges.watch("alerts_judged", judged)
    metrics.gauges.watch("alerts_right_share", shares)
    metrics.gauges.watch("alerts_promised_share", promised)
