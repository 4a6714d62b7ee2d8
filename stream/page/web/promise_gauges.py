"""The gauges of whether alerts keep their word: what the policy page shows, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from stream.metrics import DashboardMetrics
from stream.page.screens.policy.judged_alerts import Promised, judged_alerts
from stream.page.screens.view import View
from stream.page.store.store import ReadStore
from stream.page.web.kept_for import KeptFor
from stream.page.web.looked_up import LookedUp

KEPT_S = 3_600.0
"""What took long to count is counted again after an hour: horizons are at least days."""


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
