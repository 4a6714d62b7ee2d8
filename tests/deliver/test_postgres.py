"""The queue in PostgreSQL does what the one in a file does, and several processes share the work."""

import asyncio
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import structs

from stream.core.facts.profile import ERASURE_GRACE_MS
from stream.core.units import DAY_MS, FOREVER_MS, HOUR_MS
from stream.deliver.decide import decisions, read_alert
from stream.deliver.endpoints.endpoint import Endpoints
from stream.deliver.plan.contact import Budget
from stream.deliver.plan.outcome import OUTCOMES
from stream.deliver.queue.attempts import claim, disable, enable, settle
from stream.deliver.queue.database import QueueError
from stream.deliver.queue.erasure import erase_now, forget_erased
from stream.deliver.queue.intake import take_in
from stream.deliver.queue.listing import Selection, oldest_pending_ms, tallies, unread_records
from stream.deliver.queue.offsets import positions, set_positions
from stream.deliver.queue.postgres import SCHEMA, PostgresDatabase
from stream.deliver.queue.reports import LEASE_MS, mark_reported, unreported
from stream.deliver.queue.resend import forget, resend
from stream.deliver.queue.rows import AttemptResult
from stream.privacy.sql_stores import sql_store
from stream.pseudonyms import ERASED, Pseudonyms
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.crash_points import CrashingDatabase
from tests.support.deliver_postgres import PostgresWorld
from tests.support.deliver_world import DOWN, OK, TOPIC, endpoint
from tests.support.postgres import postgres

pytestmark = pytest.mark.slow  # it starts a PostgreSQL


@pytest.fixture(scope="module")
def cluster():
    with postgres() as url:
        yield url


@pytest.fixture
def url(cluster):
    yield cluster
    database = PostgresDatabase(cluster)
    database.run(f"DROP SCHEMA {SCHEMA} CASCADE")
    database.close()


def world(url, folder, receiver, *endpoints) -> PostgresWorld:
    return PostgresWorld(url, folder, receiver, *endpoints)


async def test_alerts_are_delivered_in_order_ended_listed_and_sent_again(url, tmp_path):
    made = world(url, tmp_path, lambda a: OK if a.customer != "c3" or a.at_ms > NOW_MS + 4 * DAY_MS else DOWN)
    far = NOW_MS + 90 * DAY_MS
    await made.send(alert_body("c1"), alert_body("c2", tier="gold"), alert_body("c3", expires_ms=far), b"{}")
    made.write(alert_body("c1", "cleared"), alert_body("c4"), alert_body("c4", "cleared"))
    made.read()
    await made.run_for(4 * DAY_MS)
    assert made.ends() == ["accepted", "accepted", "parked", "accepted", "superseded", "superseded"]
    assert unread_records(made.database, 5)[0] == 1
    assert {each.outcome for each in tallies(made.database)} <= set(OUTCOMES)

    made.now_ms += HOUR_MS
    assert resend(made.database, Selection(("parked",)), made.now_ms).queued == 1
    assert set(oldest_pending_ms(made.database)) == {"crm"}
    await made.run_for(HOUR_MS)
    assert made.ends()[2] == "accepted"
    disable(made.database, "crm", "by hand", made.now_ms)
    made.now_ms += 1_000
    await made.send(alert_body("c9", at_ms=made.now_ms))
    assert made.ends(customer="c9") == ["disabled"]
    assert enable(made.database, "crm")
    assert forget(made.database, made.now_ms + 1) == 0, "no outcome is on the deliveries topic"
    assert len(made.report()) == 7
    assert forget(made.database, made.now_ms + 1) == 7
    made.database.close()


async def test_a_customer_is_erased_here_as_well(url, tmp_path):
    made = world(url, tmp_path, lambda _: OK)
    await made.send(alert_body("c1"), alert_body("c2"))
    made.erase("c1")
    await made.send(alert_body("c1", "escalated"), alert_body("c1", "retracted"))
    await made.run_for(HOUR_MS)

    assert made.ends() == ["accepted", "accepted", "suppressed/erased", "accepted"]
    bodies = made.database.rows("SELECT customer, octet_length(body) > 0 FROM alert ORDER BY seq")
    assert bodies == [("c1", False), ("c2", True), ("c1", False), ("c1", False)]
    assert len(made.report()) == 4
    forget_erased(made.database, made.now_ms + ERASURE_GRACE_MS)
    assert made.database.rows("SELECT customer FROM alert") == [("c2",)]
    made.database.close()


async def test_a_customer_is_erased_by_command_here_as_well(url, tmp_path):
    made = world(url, tmp_path, lambda _: OK)
    await made.send(alert_body("c1"), alert_body("c2"))
    made.report()
    made.database.pseudonyms = Pseudonyms("a-key-for-tests-only", ERASED)
    erase_now(made.database, "c1", NOW_MS, made.now_ms)

    with sql_store("delivery queue", url) as store:
        assert store is not None
        store.tidy()
        assert (store.left("c1"), store.left("c2")) == (0, 2)
    made.database.close()


def test_two_processes_write_each_outcome_once(url, tmp_path):
    first, second = PostgresDatabase(url), PostgresDatabase(url)
    old_ms = NOW_MS - 9 * DAY_MS
    records = [read_alert(0, n, NOW_MS, alert_body(f"c{n}", at_ms=old_ms)) for n in range(600)]
    endpoints = Endpoints(by_name={"crm": endpoint()}, late_max_ms=DAY_MS, keep_ms=DAY_MS)
    decide = decisions(endpoints, lambda _: False, NOW_MS)
    take_in(first, TOPIC, records, endpoints=["crm"], decide=decide, now_ms=NOW_MS)

    one, other = unreported(first, NOW_MS), unreported(second, NOW_MS)
    assert [len(one), len(other), len(unreported(first, NOW_MS))] == [500, 100, 0]
    mark_reported(first, one)
    again = unreported(first, NOW_MS + LEASE_MS)
    assert again == other, "the process that had chosen them may be gone"
    first.close()
    second.close()


def test_several_processes_take_each_record_in_once_and_claim_each_delivery_once(url):
    bodies = [alert_body(f"c{n % 40}", episode=n) for n in range(400)]
    records = [read_alert(0, n, NOW_MS, body) for n, body in enumerate(bodies)]
    first = PostgresDatabase(url)
    set_positions(first, TOPIC, {0: 0})
    endpoints = Endpoints(by_name={"crm": endpoint()}, late_max_ms=DAY_MS, keep_ms=DAY_MS)
    claimed: Counter[int] = Counter()
    together: list[bool] = []
    under_way: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        database = PostgresDatabase(url)
        decide = decisions(endpoints, lambda _: False, NOW_MS)
        for start in range(0, 400, 50):
            batch = records[start : start + 50]
            take_in(database, TOPIC, batch, endpoints=["crm"], decide=decide, now_ms=NOW_MS)
        while True:
            found = claim(database, "crm", 7, NOW_MS, lease_until_ms=NOW_MS + 120_000, ordered=True)
            if not found and len(claimed) == 400:
                break
            with lock:
                under_way.update(each.alert.customer for each in found)
                claimed.update(each.seq for each in found)
                together.append(max(under_way.values(), default=0) > 1)
            time.sleep(0.002)  # the attempt
            with lock:
                under_way.subtract(each.alert.customer for each in found)
            settle(database, [AttemptResult(each.seq, "crm", NOW_MS, True, "accepted") for each in found])
        database.close()

    with ThreadPoolExecutor(3) as threads:
        assert [each.result() for each in [threads.submit(work) for _ in range(3)]] == [None] * 3

    assert positions(first, TOPIC) == {0: 400}
    assert len(claimed) == 400
    assert set(claimed.values()) == {1}
    assert not any(together), "two alerts of a customer at the same time"
    first.close()


def test_a_database_that_cannot_be_used_is_one_line(url):
    with pytest.raises(QueueError, match=r"^PostgreSQL: no schema stream_deliver; "):
        PostgresDatabase(url, create=False)
    PostgresDatabase(url).close()
    with pytest.raises(QueueError, match=r"^PostgreSQL: [^\n]*$"):
        PostgresDatabase("postgresql://nobody@127.0.0.1:1/none")


def test_the_walk_of_crashes_holds_here_as_well(url, tmp_path):
    async def walk() -> None:
        moods = [DOWN]
        made = world(url, tmp_path, lambda a: moods[0])
        await made.send(*(alert_body(f"c{n}") for n in range(10)))
        made.database.close()
        made.database = CrashingDatabase(PostgresDatabase(url), made.points)
        made.now_ms += 200_000  # leases of the process that died are over
        moods[0] = OK
        made.courier = made._courier()
        await made.run_for(HOUR_MS)
        assert made.ends() == ["accepted"] * 10
        made.database.close()

    asyncio.run(walk())


async def test_mutes_and_the_contact_budget_hold_here_as_well(url, tmp_path):
    made = world(url, tmp_path, lambda _: OK)
    made.endpoints = structs.replace(made.endpoints, budget=Budget(1, 7 * DAY_MS))
    made.restart()
    made.mute("c2", FOREVER_MS, "staff")
    made.mute("c2", 0, at_ms=NOW_MS - 1)
    better = alert_body("c1", at_stake_minor=90_000)
    await made.send(alert_body("c1", kind="churn_risk"), better, alert_body("c2"))
    assert made.ends() == ["/budget", "accepted", "suppressed/muted"]
    await made.run_for(8 * DAY_MS)

    assert made.ends(customer="c1") == ["accepted", "accepted"]
    assert [each.at_ms - NOW_MS for each in made.attempts] == [0, 7 * DAY_MS]


async def test_two_processes_share_one_contact_budget(url, tmp_path):
    first = world(url, tmp_path, lambda _: OK, endpoint("crm"), endpoint("mail"))
    first.endpoints = structs.replace(first.endpoints, budget=Budget(1, 7 * DAY_MS))
    first.restart()
    second = world(url, tmp_path, lambda _: OK, *first.endpoints.by_name.values())
    second.endpoints = first.endpoints
    second.restart()
    first.write(
        *(alert_body(f"c{n}", kind=kind) for n in range(8) for kind in ("churn_risk", "at_risk_loyal"))
    )
    first.read()
    for _ in range(40):
        await asyncio.gather(first.courier.turn(), second.courier.turn())
        await asyncio.gather(first.courier.finish(), second.courier.finish())
        first.now_ms = second.now_ms = first.now_ms + 3_000

    episodes: dict[str, set[str]] = {}
    for attempt in (*first.attempts, *second.attempts):
        episodes.setdefault(attempt.customer, set()).add(attempt.claim.alert.episode)
    assert {len(found) for found in episodes.values()} == {1}
    assert len(episodes) == 8
