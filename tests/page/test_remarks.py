"""Remarks on alerts: each is an event of the contract, and what a page shows of them."""

import json
from contextlib import closing

import jsonschema_rs
import msgspec
import pytest

from stream.contracts.export import schema_of
from stream.contracts.registry import contracts
from stream.page.live.actions import SAYS, ActionError, Remark, encoded
from stream.page.live.control_rows import control_rows
from stream.page.live.record import PageRecord
from stream.page.remarks import NEVER_AGAIN_MS, ActionEntry, MuteEntry
from stream.page.screens.remarks import mute_of, muted_count, remarks_of
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.wire import decode
from tests.support.alert_bodies import DAY_MS

AT_MS = 1_800_000_000_000
CONTRACTS = {contract.name: contract for contract in contracts()}


def remark(says, **more):
    fields = {"undoes": "e-1", "undone_says": "taken"} if says == "undone" else {}
    return Remark(says, "c\u00e9", "alert-1", "Ada", **{**fields, **more})


def rows_of(value, headers=()):
    batch = Batch()
    control_rows(PageRecord("control", "control", 0, 0, "c\u00e9".encode(), value, headers), batch)
    return batch


@pytest.mark.parametrize("says", SAYS)
def test_every_remark_is_an_event_that_schema_and_worker_take(says):
    value = encoded(remark(says), AT_MS, "e-2")

    event = json.loads(value)
    schema = schema_of(CONTRACTS[event["type"]], 1)
    assert jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(event)
    assert type(decode("control", "c\u00e9".encode(), value)).__struct_config__.tag == event["type"]
    assert event["data"]["actor"] == "Ada"


def test_a_remark_becomes_the_row_that_pages_read():
    batch = Batch()
    for says in ("acknowledged", "taken", "churned", "undone", "snooze-7", "never-staff", "unmuted"):
        found = rows_of(encoded(remark(says), AT_MS, f"e-{says}"))
        batch.actions += found.actions
        batch.mutes += found.mutes

    assert [(entry.remark, entry.undoes, entry.actor) for entry in batch.actions] == [
        ("acknowledged", "", "Ada"),
        ("taken", "", "Ada"),
        ("churned", "", "Ada"),
        ("undone", "e-1", "Ada"),
    ]
    assert batch.mutes == [
        MuteEntry("c\u00e9", AT_MS + 7 * DAY_MS, AT_MS, "snoozed", "Ada"),
        MuteEntry("c\u00e9", NEVER_AGAIN_MS, AT_MS, "staff", "Ada"),
        MuteEntry("c\u00e9", 0, AT_MS, "", "Ada"),
    ]


@pytest.mark.parametrize("wrong", [{"says": "x"}, {"actor": "x" * 257}, {"alert_id": ""}, {"customer": ""}])
def test_what_the_contract_does_not_allow_is_refused_in_words(wrong):
    with pytest.raises(ActionError):
        encoded(msgspec.structs.replace(remark("acknowledged"), **wrong), AT_MS, "e")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"other", encoded(remark("taken"), AT_MS, "e")),
        (b"x", b'{"type": "action.taken"'),
        (b"x", None),
        ("c\u00e9".encode(), b'{"type": "marketing.cost_recorded", "note": "action."}'),
    ],
)
def test_what_workers_would_put_aside_is_not_taken_for_a_remark(key, value):
    batch = Batch()

    control_rows(PageRecord("control", "control", 0, 0, key, value), batch)

    assert batch == Batch()


@pytest.fixture
def store(tmp_path):
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        store.open_for("x")
        yield store


def entry(name, kind, at_ms, undoes=""):
    return ActionEntry(name, "c", "alert-1", kind, at_ms, "Ada", undoes)


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        ([], None),
        ([entry("a", "acknowledged", 1)], "seen"),
        ([entry("b", "taken", 2), entry("a", "acknowledged", 1)], "done"),
        ([entry("a", "acknowledged", 1), entry("b", "taken", 2), entry("c", "undone", 3, "b")], "seen"),
        ([entry("a", "churned", 1)], "lost"),
        ([entry("c", "undone", 0, "a"), entry("a", "taken", 1)], None),
    ],
)
def test_the_latest_remark_that_was_not_taken_back_is_shown(store, shop, entries, shown):
    store.write(Batch(actions=entries))

    with store.reading() as reading:
        found = remarks_of(reading, [("c", "alert-1"), ("d", "alert-2")], shop[1])

    assert (found["alert-1"].words if found else None) == shown


def test_a_mute_is_shown_until_it_is_over_with_who_and_why(store, shop):
    view = shop[1]
    now_ms = view.as_of_ms
    mutes = [
        MuteEntry("a", now_ms + DAY_MS, 1, "snoozed", "Ada"),
        MuteEntry("b", now_ms, 1, "snoozed", "Ada"),
        MuteEntry("c", NEVER_AGAIN_MS, 1, "test", "Bo"),
    ]
    store.write(Batch(mutes=mutes))

    with store.reading() as reading:
        shown = [mute_of(reading, name, view) for name in ("a", "b", "c", "d")]
        assert muted_count(reading, "churn_risk", now_ms) == 0

    assert shown[0] is not None
    assert (shown[0].why, shown[0].until, shown[0].by) == ("snoozed", view.date(now_ms + DAY_MS), "Ada")
    assert (shown[1], shown[3]) == (None, None)
    assert shown[2] is not None
    assert (shown[2].why, shown[2].until) == ("a test customer", "")
