"""What people do about alerts: counted once, taken back when it is undone; what was seen counts nowhere."""

import itertools
from datetime import UTC, datetime

import pytest

from stream.core.events import event as ev
from stream.core.events.payload import (
    Acknowledgement,
    Action,
    ActionOutcome,
    Mute,
    UndoneAction,
    Unmute,
)
from stream.core.step import on_event
from tests.support.builders import basis

AT = datetime(2026, 3, 1, tzinfo=UTC)
BASIS = basis()


def said(kind, data, name):
    return kind(id=name, source="/page", subject="c", time=AT, data=data)


TAKEN = said(ev.ActionTaken, Action(alert_id="a"), "taken")
SAVED = said(ev.ActionResulted, ActionOutcome(alert_id="a", outcome="saved"), "saved")
NOT_TAKEN = said(ev.ActionUndone, UndoneAction(alert_id="a", event_id="taken", undoes="taken"), "u1")
NOT_SAVED = said(ev.ActionUndone, UndoneAction(alert_id="a", event_id="saved", undoes="saved"), "u2")
SEEN = said(ev.ActionAcknowledged, Acknowledgement(alert_id="a", actor="Ada"), "seen")
NOT_SEEN = said(ev.ActionUndone, UndoneAction(alert_id="a", event_id="seen", undoes="acknowledged"), "u3")
MUTED = said(ev.CustomerMuted, Mute(reason="staff"), "muted")
UNMUTED = said(ev.CustomerUnmuted, Unmute(), "unmuted")


def told(*events):
    profile = None
    for event in events:
        profile = on_event(profile, event, BASIS).profile
    return profile


def test_what_was_undone_does_not_count_in_whatever_order_it_arrives():
    for events in itertools.permutations((TAKEN, SAVED, NOT_TAKEN, NOT_SAVED)):
        identity = told(*events).identity
        assert (identity.actions, identity.outcomes) == (0, {}), events


def test_an_undo_that_is_sent_twice_counts_once():
    identity = told(TAKEN, NOT_TAKEN, NOT_TAKEN, SAVED, SAVED).identity

    assert (identity.actions, identity.outcomes) == (0, {"saved": 1})


@pytest.mark.parametrize("quiet", [SEEN, MUTED, UNMUTED])
def test_what_was_seen_or_muted_makes_no_profile_and_changes_none(quiet):
    step = on_event(None, quiet, BASIS)

    assert (step.profile, step.alerts, step.outcome) == (None, (), "passed")
    assert told(TAKEN, quiet) == told(TAKEN)


def test_seen_counts_nowhere_as_an_action_taken():
    assert told(TAKEN, SEEN, NOT_SEEN).identity.actions == 1
