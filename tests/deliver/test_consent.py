"""Consent that is taken back after an alert was raised: delivery follows it, and sends nothing more."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stream.core.events.event import ConsentChanged
from stream.core.events.payload import Consent
from stream.core.units import HOUR_MS, MINUTE_MS
from stream.deliver.decide import read_control
from stream.deliver.queue.rows import ReadConsent
from stream.deliver.queue.sqlite import SqliteDatabase
from stream.wire import STRUCTURED_HEADERS, encode_event
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint


def accepts(attempt):
    return OK


def marketing(customer="c1", consent="granted", **more) -> bytes:
    """An alert whose recommended action needs consent to marketing."""
    content = json.loads(alert_body(customer, **more))
    content["data"]["recommended_action"] |= {"consent": consent, "requires_consent": "marketing"}
    return json.dumps(content).encode()


async def test_consent_that_is_taken_back_before_it_is_sent_holds_it_back(tmp_path):
    """The alert says that consent was given; the control topic has said since that it is taken back."""
    world = World(tmp_path, accepts, endpoint("crm"), endpoint("team", contact=False))
    world.write(marketing("c1"), marketing("c2"))
    world.read()
    world.consent("c1", refused=True)
    await world.turns()

    accepted = {(each.claim.alert.customer, each.endpoint) for each in world.accepted}
    assert accepted == {("c1", "team"), ("c2", "crm"), ("c2", "team")}
    (held,) = [each for each in world.deliveries() if each.outcome == "suppressed"]
    assert (held.endpoint, held.reason) == ("crm", "consent")
    assert held.detail == "consent to marketing was taken back"


async def test_consent_taken_back_while_it_is_tried_again_stops_the_next_attempt(tmp_path):
    world = World(tmp_path, lambda _: DOWN, endpoint("crm"))
    await world.send(marketing())
    tried = len(world.attempts)
    world.consent("c1", refused=True)
    await world.run_for(2 * HOUR_MS)

    assert tried == len(world.attempts) == 1
    assert world.ends() == ["suppressed/consent"]


@pytest.mark.parametrize(
    ("statements", "sent"),
    [
        ([("marketing", True, -1)], True),  # older than the alert, which knows of a later consent
        ([("marketing", True, 1), ("marketing", False, 2)], True),
        (
            [("marketing", False, 2), ("marketing", True, 1)],
            True,
        ),  # the later word counts, not the later read
        ([("marketing", True, 1), ("marketing", False, 1)], False),  # of two at one instant the refusal
        ([("profiling", True, 1)], True),
        ([("marketing", True, 0)], False),
    ],
)
async def test_the_latest_word_about_the_purpose_counts(tmp_path, statements, sent):
    world = World(tmp_path, accepts, endpoint("crm"))
    for purpose, refused, minutes in [each for each in statements if each[2] < 0]:
        world.consent("c1", refused=refused, purpose=purpose, at_ms=NOW_MS + minutes * MINUTE_MS)
    world.now_ms += 1
    world.write(marketing())
    world.read()
    for purpose, refused, minutes in [each for each in statements if each[2] >= 0]:
        world.consent("c1", refused=refused, purpose=purpose, at_ms=NOW_MS + minutes * MINUTE_MS)
    await world.turns()

    assert world.ends() == ["accepted" if sent else "suppressed/consent"]


async def test_the_end_of_an_episode_is_sent_after_consent_was_taken_back(tmp_path):
    world = World(tmp_path, accepts, endpoint("crm"))
    await world.send(marketing())
    world.consent("c1", refused=True)
    await world.send(marketing(state="cleared"))

    assert world.ends() == ["accepted", "accepted"]


async def test_an_erased_customer_has_no_statements_left(tmp_path):
    world = World(tmp_path, accepts, endpoint("crm"))
    world.consent("c1", refused=True)
    world.erase("c1")

    assert world.database.rows("SELECT * FROM consent") == []


def test_what_the_control_topic_says_of_consent_is_read():
    event = ConsentChanged(
        id="e", source="/s", subject="c1", time=datetime.fromtimestamp(NOW_MS / 1_000, UTC),
        data=Consent(purpose="marketing", status="revoked"),
    )  # fmt: skip

    assert read_control(2, 7, ControlRecord(event)) == ReadConsent(
        2, 7, "c1", NOW_MS, "marketing", refused=True
    )


class ControlRecord:
    """A record of the control topic."""

    def __init__(self, event: ConsentChanged) -> None:
        self._event = event

    def key(self) -> bytes:
        return self._event.subject.encode()

    def value(self) -> bytes:
        return encode_event(self._event)

    def headers(self):
        return STRUCTURED_HEADERS


def test_a_queue_of_the_version_before_gets_the_new_table(tmp_path):
    path = tmp_path / "queue.db"
    before = SqliteDatabase(path)
    before.run("DROP TABLE consent")
    before.run("PRAGMA user_version = 2")
    before.close()

    after = SqliteDatabase(path)
    assert after.rows("SELECT * FROM consent") == []
    after.close()
