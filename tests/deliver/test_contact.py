"""Who is contacted when: consent, mutes, one budget for a customer, quiet hours by the customer's clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from stream.core.units import DAY_MS, FOREVER_MS, HOUR_MS, MINUTE_MS
from stream.deliver.plan.contact import Budget
from stream.deliver.plan.outcome import is_undelivered
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.queue.listing import oldest_pending_ms
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint

WEEKLY = Budget(1, 7 * DAY_MS)
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(21 * 60, 8 * 60, BERLIN)


def accepts(attempt):
    return OK


def body(customer="c1", state="raised", *, consent="", zone="", **more) -> bytes:
    """An alert whose recommended action has a consent, and whose customer has a time zone."""
    content = json.loads(alert_body(customer, state, **more))
    if consent:
        content["data"]["recommended_action"]["consent"] = consent
    if zone:
        content["data"]["customer"]["timezone"] = zone
    return json.dumps(content).encode()


def noon_of(zone: str) -> int:
    day = datetime.fromtimestamp(NOW_MS / 1_000, UTC).date()
    return round(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("consent", "not_denied", "granted"),
    [("granted", True, True), ("not_needed", True, True), ("unknown", True, False), ("denied", False, False)],
)
async def test_consent_decides_where_customers_are_contacted(tmp_path, consent, not_denied, granted):
    places = (endpoint("a"), endpoint("b", consent="granted"), endpoint("team", contact=False))
    world = World(tmp_path, accepts, *places)
    await world.send(body(consent=consent))

    ends = {each.endpoint: f"{each.outcome}/{each.reason}" for each in world.deliveries()}
    asked = {"a": not_denied, "b": granted, "team": True}
    assert ends == {name: "accepted/" if may else "suppressed/consent" for name, may in asked.items()}


async def test_the_end_of_what_was_sent_needs_no_consent(tmp_path):
    world = World(tmp_path, accepts, endpoint(consent="granted"))
    await world.send(body(consent="granted"))
    await world.send(body(state="escalated", consent="denied"), body(state="cleared"))

    assert world.ends() == ["accepted", "suppressed/consent", "accepted"]


async def test_a_muted_customer_reaches_nobody_and_ends_are_sent(tmp_path):
    world = World(tmp_path, accepts, endpoint("crm"), endpoint("team", contact=False))
    await world.send(body("c1"), body("c2"))
    world.mute("c1", FOREVER_MS, "staff")
    await world.send(
        body("c1", "escalated"), body("c1", episode=2), body("c1", "cleared"), body("c2", "cleared")
    )

    for name in ("crm", "team"):
        assert world.ends(endpoint=name, customer="c1") == [
            "accepted",
            "suppressed/muted",
            "suppressed/muted",
            "accepted",
        ]
        assert world.ends(endpoint=name, customer="c2") == ["accepted", "accepted"]
    assert {each.detail for each in world.deliveries(outcomes=("suppressed",))} == {"muted (staff)"}


async def test_a_snoozed_customers_alert_waits_and_is_superseded_when_its_episode_ends_first(tmp_path):
    world = World(tmp_path, accepts)
    world.mute("c1", NOW_MS + 3 * DAY_MS)
    world.mute("c2", NOW_MS + 3 * DAY_MS)
    world.mute("c3", NOW_MS + 60 * DAY_MS)
    await world.send(body("c1"), body("c2"), body("c3"))
    world.mute("c1", NOW_MS + 3 * DAY_MS, at_ms=NOW_MS + 1)  # again: it is looked at once more
    await world.run_for(2 * DAY_MS)
    assert not world.attempts
    await world.send(body("c2", "cleared"))
    await world.run_for(2 * DAY_MS)

    assert [(each.customer, each.at_ms) for each in world.attempts] == [("c1", NOW_MS + 3 * DAY_MS)]
    assert world.ends() == ["accepted", "superseded", "suppressed/muted", "superseded"]
    assert world.put_offs == {("crm", "muted"): 2}, "each once, and not the one that is never sent"


async def test_the_latest_word_about_a_mute_counts_in_whatever_order_it_is_read(tmp_path):
    world = World(tmp_path, accepts)
    world.mute("c1", FOREVER_MS, "staff", at_ms=NOW_MS - DAY_MS)
    await world.send(body("c1"))
    world.mute("c1", NOW_MS + DAY_MS, at_ms=NOW_MS)
    world.mute("c1", 0, at_ms=NOW_MS - HOUR_MS)
    await world.send(body("c1", episode=2))
    assert world.ends() == ["suppressed/muted", "/muted"]
    world.mute("c1", 0, at_ms=NOW_MS + 1)
    await world.turns()

    assert world.ends() == ["suppressed/muted", "accepted"]
    world.mute("c1", FOREVER_MS, at_ms=NOW_MS + 1)
    await world.send(body("c1", episode=3))
    assert world.ends()[-1] == "suppressed/muted", "of two at one instant the mute"


async def test_an_erased_customer_is_muted_no_more_and_nothing_is_kept(tmp_path):
    world = World(tmp_path, accepts)
    world.mute("c1", FOREVER_MS, "staff")
    world.erase("c1")

    assert world.database.rows("SELECT COUNT(*) FROM muted") == [(0,)]


async def test_one_budget_holds_over_all_kinds_and_endpoints(tmp_path):
    world = World(tmp_path, accepts, endpoint("crm"), endpoint("mail"), budget=WEEKLY)
    await world.send(body("c1", kind="churn_risk"), body("c2"))
    await world.run_for(DAY_MS)
    await world.send(body("c1", kind="at_risk_loyal", at_ms=world.now_ms))
    await world.send(body("c1", "escalated", kind="churn_risk", at_ms=world.now_ms))
    assert sorted(each.customer for each in world.attempts) == ["c1", "c1", "c1", "c1", "c2", "c2"]
    waiting = world.deliveries(outcomes=("",))
    assert [(each.endpoint, each.reason) for each in waiting] == [("crm", "budget"), ("mail", "budget")]
    assert waiting[0].detail.startswith("the contact budget of the customer is used up, until 2025-12-")
    await world.run_for(6 * DAY_MS + MINUTE_MS)

    late = [each for each in world.attempts if each.at_ms > NOW_MS + DAY_MS]
    assert {(each.customer, each.at_ms) for each in late} == {("c1", NOW_MS + 7 * DAY_MS)}
    assert len(late) == 2


async def test_an_alert_that_expires_before_there_is_room_ends_at_once_and_is_undelivered(tmp_path):
    world = World(tmp_path, accepts, budget=WEEKLY)
    await world.send(body("c1", kind="churn_risk"))
    await world.send(body("c1", expires_ms=NOW_MS + 5 * DAY_MS))

    assert world.ends() == ["accepted", "suppressed/budget"]
    assert is_undelivered("suppressed", "budget")


@pytest.mark.parametrize("ordered", [True, False])
async def test_of_those_that_wait_for_the_same_room_the_most_at_stake_goes_first(tmp_path, ordered):
    minute = NOW_MS // MINUTE_MS % (24 * 60)
    night = QuietHours(minute, (minute + 8 * 60) % (24 * 60), UTC)
    world = World(tmp_path, accepts, endpoint(quiet=night, ordered=ordered), budget=WEEKLY)
    for kind, stake in (("churn_risk", 1_000), ("at_risk_loyal", 90_000), ("upgrade_opportunity", 5_000)):
        await world.send(body("c1", kind=kind, at_stake_minor=stake))
    await world.run_for(DAY_MS)
    assert [each.claim.alert.kind for each in world.attempts] == ["at_risk_loyal"]
    await world.run_for(14 * DAY_MS)

    assert [each.claim.alert.kind for each in world.attempts] == [
        "at_risk_loyal",
        "upgrade_opportunity",
        "churn_risk",
    ]


async def test_retries_and_other_alerts_of_an_episode_use_no_further_room(tmp_path):
    world = World(tmp_path, lambda attempt: DOWN if attempt.at_ms < NOW_MS + HOUR_MS else OK, budget=WEEKLY)
    await world.send(body("c1"))
    await world.send(body("c1", "escalated"), body("c1", "cleared"))
    await world.run_for(DAY_MS)

    assert world.ends() == ["accepted"] * 3


async def test_whoever_is_held_out_uses_up_the_budget_like_anybody_else(tmp_path):
    world = World(tmp_path, accepts, budget=WEEKLY)
    for arm in ("held_out", "treated"):
        await world.send(body(arm, arm=arm, kind="churn_risk"), body(arm, arm=arm))
    await world.run_for(8 * DAY_MS)

    times = {
        arm: [each.ended_ms - NOW_MS for each in world.deliveries(customer=arm)]
        for arm in ("held_out", "treated")
    }
    assert times["held_out"] == times["treated"]
    assert sorted(times["treated"])[1] >= 7 * DAY_MS
    assert {each.customer for each in world.attempts} == {"treated"}


async def test_an_endpoint_at_which_nobody_is_contacted_knows_no_budget(tmp_path):
    world = World(tmp_path, accepts, endpoint("crm"), endpoint("team", contact=False), budget=WEEKLY)
    await world.send(body("c1", kind="churn_risk"), body("c1"))

    assert world.ends(endpoint="team") == ["accepted", "accepted"]
    assert sorted(world.ends(endpoint="crm")) == ["/budget", "accepted"]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("America/New_York", "America/New_York"),
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("", "Europe/Berlin"),
        ("Mars/Olympus", "Europe/Berlin"),
        ("../../etc/passwd", "Europe/Berlin"),
        ("/etc/localtime", "Europe/Berlin"),
        ("a\x00b", "Europe/Berlin"),
    ],
)
async def test_quiet_hours_go_by_the_customers_clock_and_by_the_business_where_it_is_not_known(
    tmp_path, zone, expected
):
    world = World(tmp_path, accepts, endpoint(quiet=NIGHT), endpoint("team", quiet=NIGHT, contact=False))
    world.now_ms = NIGHT.over_ms(NOW_MS) + 14 * HOUR_MS  # 22:00 in Berlin
    await world.send(body("c1", zone=zone, at_ms=world.now_ms))
    await world.run_for(2 * DAY_MS)

    sent = {
        each.endpoint: datetime.fromtimestamp(each.at_ms / 1_000, ZoneInfo(expected))
        for each in world.attempts
    }
    assert 8 <= sent["crm"].hour < 21
    assert sent["team"].astimezone(BERLIN).hour == 8


async def test_while_one_episode_waits_the_end_of_another_is_sent(tmp_path):
    world = World(tmp_path, accepts, budget=WEEKLY)
    await world.send(body("c1", kind="churn_risk"))
    await world.send(body("c1", kind="at_risk_loyal"))
    await world.send(body("c1", "cleared", kind="churn_risk"))

    assert world.ends() == ["accepted", "/budget", "accepted"]


async def test_the_record_of_a_delivery_says_when_it_was_sent_or_would_have_been(tmp_path):
    world = World(tmp_path, lambda attempt: DOWN if attempt.at_ms < NOW_MS + HOUR_MS else OK)
    await world.send(body("t", arm="treated"), body("h", arm="held_out"))
    await world.send(body("f", expires_ms=NOW_MS))
    await world.run_for(DAY_MS)

    sent = {each.subject: each.data.sent_at for each in world.report()}
    assert sent["t"] == sent["h"]
    assert sent["t"] is not None
    assert sent["f"] is None


@pytest.mark.parametrize("seed", range(12))
async def test_nobody_is_contacted_more_often_than_the_budget_allows_whatever_happens(tmp_path, seed):
    random = Random(seed)
    budget = Budget(2, 7 * DAY_MS)
    minute = random.randrange(24 * 60)
    world = World(
        tmp_path,
        lambda attempt: random.choice([OK, OK, DOWN]),
        endpoint("crm", quiet=QuietHours(minute, (minute + 400) % (24 * 60), UTC)),
        endpoint("mail", ordered=False),
        budget=budget,
    )
    for n in range(40):
        kind = random.choice(["churn_risk", "at_risk_loyal", "upgrade_opportunity"])
        state = random.choice(["raised", "raised", "escalated", "cleared"])
        more = {
            "episode": n // 6,
            "kind": kind,
            "at_ms": world.now_ms,
            "at_stake_minor": random.randrange(9_000),
        }
        await world.send(body(f"c{n % 2}", state, **more))
        await world.run_for(random.choice([0, MINUTE_MS, 7 * HOUR_MS, 2 * DAY_MS]))
        if random.random() < 0.2:
            world.restart()
    await world.run_for(60 * DAY_MS)

    assert all(each.outcome for each in world.deliveries())
    for customer in ("c0", "c1"):
        first: dict[str, int] = {}
        for each in world.attempts:
            if each.customer == customer and each.state not in {"cleared"}:
                first.setdefault(each.claim.alert.episode, each.at_ms)
        times = sorted(first.values())
        for began in times:
            assert sum(began <= at_ms < began + budget.window_ms for at_ms in times) <= 2


async def test_what_waits_on_purpose_is_not_late_at_its_endpoint(tmp_path):
    world = World(tmp_path, lambda attempt: DOWN if attempt.customer == "c2" else OK, budget=WEEKLY)
    await world.send(body("c1", kind="churn_risk"))
    await world.send(body("c1"))
    world.mute("c3", NOW_MS + 9 * DAY_MS)
    await world.send(body("c3"))
    await world.run_for(DAY_MS)
    assert oldest_pending_ms(world.database) == {}
    await world.send(body("c2", at_ms=world.now_ms))

    assert oldest_pending_ms(world.database) == {"crm": NOW_MS + DAY_MS}
