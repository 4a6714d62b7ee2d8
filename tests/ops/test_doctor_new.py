"""`stream doctor` on a new installation: what is only new is no fault, at any step of the set-up."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.support.kafka_shop import ShopWithWorker, wait_until_read
from tests.support.poison import as_bytes, purchase

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
CUSTOMERS = 10
READY_S = 120


def faults(shop: ShopWithWorker) -> tuple[int, list[str]]:
    """The exit code, and what is at fault."""
    code, report = shop.run_json("doctor")
    return code, [each["found"] for each in report["findings"] if each["level"] == "fault"]


def wait_for(shop: ShopWithWorker, role: str, count: int) -> None:
    """Return once the topic holds so many records."""
    until = time.monotonic() + READY_S
    while len(shop.all_of(role)) < count:
        assert shop.worker.poll() is None, f"the worker ended with {shop.worker.returncode}"
        assert time.monotonic() < until, f"{role}: fewer than {count} records"
        time.sleep(0.5)


def test_a_new_installation_has_no_fault_at_any_step(shop, tmp_path):
    assert faults(shop) == (0, [])

    shop.start_worker()
    try:
        wait_for(shop, "profiles", 1)  # its marks as writer
        assert faults(shop) == (0, [])

        now = datetime.now(UTC).isoformat()
        lines = [
            as_bytes(purchase(id=f"e{n}", subject=f"c{n}", time=now, data__order_id=f"o{n}"))
            for n in range(CUSTOMERS)
        ]
        (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
        assert shop.run("send", str(tmp_path / "events.jsonl")).exit_code == 0
        wait_until_read(shop)
        assert faults(shop) == (0, [])
    finally:
        shop.stop_worker()


def test_events_that_nobody_reads_are_a_fault(shop, tmp_path):
    (tmp_path / "events.jsonl").write_bytes(as_bytes(purchase(id="e1", subject="c1")))
    assert shop.run("send", str(tmp_path / "events.jsonl")).exit_code == 0

    code, found = faults(shop)

    assert (code, len(found)) == (1, 1)
    assert "has no member: nobody reads" in found[0]
