"""What people do about alerts: counted once, taken back when it is undone; what was seen counts nowhere."""

import itertools
from datetime import UTC, datetime

import pytest

from stream.core.events import event as ev
from stream.core.events.payload import Action, ActionOutcome
from stream.core.events.remarks import Acknowledgement, Mute, UndoneAction, Unmute
from stream.core.step import on_event
from tests.support.builders import basis

AT = datetime(2026, 3, 1, tzinfo=UTC)
BASIS = basis()


def made(kind, data, name):
    return kind(id=name, source="/page", subject="c", time=AT, data=data)


TAKEN = made(ev.ActionTaken, Action(alert_id="a"), "taken")
SAVED = made(ev.ActionResulted, ActionOutcome(alert_id="a", outcome="saved"), "saved")
NOT_TAKEN = made(ev.ActionUndone, UndoneAction(alert_id="a", event_id="taken", undoes="taken"), "u1")
NOT_SAVED = made(ev.ActionUndone, UndoneAction(alert_id="a", event_id="saved", undoes="saved"), "u2")
SEEN = made(ev.ActionAcknowledged, Acknowledgement(alert_id="a", actor="Ada"), "seen")
NOT_SEEN = made(ev.ActionUndone, UndoneAction(alert_id="a", event_id="seen", undoes="acknowledged"), "u3")
MUTED = made(ev.CustomerMuted, Mute(reason="staff"), "muted")
UNMUTED = made(ev.CustomerUnmuted, Unmute(), "unmuted")


def profile_after(*events):
    profile = None
    for event in events:
        profile = on_event(profile, event, BASIS).profile
    return profile


def test_what_was_undone_does_not_count_in_whatever_order_it_arrives():
    for events in itertools.permutations((TAKEN, SAVED, NOT_TAKEN, NOT_SAVED)):
        identity = profile_after(*events).identity
        assert (identity.actions, identity.outcomes) == (0, {}), events


def test_an_undo_that_is_sent_twice_counts_once():
    identity = profile_after(TAKEN, NOT_TAKEN, NOT_TAKEN, SAVED, SAVED).identity

    assert (identity.actions, identity.outcomes) == (0, {"saved": 1})


@pytest.mark.parametrize("quiet", [SEEN, MUTED, UNMUTED])
def test_what_was_seen_or_muted_makes_no_profile_and_changes_none(quiet):
    step = on_event(None, quiet, BASIS)

    assert (step.profile, step.alerts, step.outcome) == (None, (), "passed")
    assert profile_after(TAKEN, quiet) == profile_after(TAKEN)


def test_seen_counts_nowhere_as_an_action_taken():
    assert profile_after(TAKEN, SEEN, NOT_SEEN).identity.actions == 1
