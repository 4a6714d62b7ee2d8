"""What arrives again and again from nightly exports makes the profiles and alerts of one export."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.replay.run import Shard, replay
from stream.wire import decode_line
from tests.support.builders import basis
from tests.support.importing import Imported
from tests.support.laws import assert_same_facts
from tests.support.nightly import MAPPING, NIGHTS, THIRD_NIGHT, export


def events_of(path) -> list[Event]:
    done = Imported(MAPPING, path)
    return [event for line in done.outgoing if isinstance(event := decode_line(line.value), Event)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return events_of(export(tmp_path_factory.mktemp("whole"), "whole.csv", 0, THIRD_NIGHT))


def taken(shard: Shard, events: list[Event]) -> Counter[str]:
    """Give a shard the events of one night as a worker gets them; what became of them."""
    before = Counter(shard.outcomes)
    ordered = sorted(events, key=lambda event: (event.time_ms, event.subject))
    for (at_ms, _), instant in groupby(ordered, key=lambda event: (event.time_ms, event.subject)):
        shard.apply([*instant], at_ms)
    return shard.outcomes - before


@pytest.mark.parametrize("folder_of_its_own", [True, False])
def test_three_nights_make_the_profiles_and_alerts_of_one_export(whole, tmp_path, folder_of_its_own):
    alerts: list[Alert] = []
    shard = Shard(basis(), alerts.append)
    nights = []
    for number, (first, last) in enumerate(NIGHTS):
        folder = tmp_path / f"{number}" if folder_of_its_own else tmp_path
        folder.mkdir(exist_ok=True)
        nights.append(taken(shard, events_of(export(folder, f"night-{number}.csv", first, last))))

    run, wanted = replay(whole, basis())
    shard.advance(run.clock_ms)

    assert sum(night["applied"] for night in nights) == len(whole)
    assert [night["unsure"] > 0 for night in nights] == [False, True, True]
    assert shard.profiles.keys() == run.profiles.keys()
    for customer, profile in run.profiles.items():
        assert_same_facts(shard.profiles[customer], profile)
        assert shard.profiles[customer].judgement == profile.judgement
    assert sorted(alert.id for alert in alerts) == sorted(alert.id for alert in wanted)


def test_a_night_that_is_sent_again_changes_no_byte(whole):
    from stream.worker.rows.row import LiveRow, StoredRow

    shard = Shard(basis(), lambda alert: None)
    taken(shard, whole)
    before = {name: LiveRow(StoredRow(profile=profile)).encode() for name, profile in shard.profiles.items()}

    again = taken(shard, whole)

    assert again["applied"] == 0
    assert again["duplicate"] > 0
    assert before == {
        name: LiveRow(StoredRow(profile=profile)).encode() for name, profile in shard.profiles.items()
    }
