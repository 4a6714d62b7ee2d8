"""The first filling of a store, without Kafka: with other processes or alone, broken off or not."""

import time

import pytest

from stream.page.live import follower as module
from stream.page.live.follower import Follow, Follower
from stream.page.live.record import PageRecord
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import StoreError
from tests.support.builders import basis
from tests.support.dashboard_pages import contents
from tests.support.live_shop import encoded_row, last_ms_of, replayed_shop, wait_until

TOPIC, AT_ONCE = "profiles", 7


class Records:
    """What is on a topic of two partitions, read as PageTopics reads it, a few records at once."""

    def __init__(self, records):
        self.records, self.places = records, {}

    def __call__(self, *_):
        return self

    def partitions(self):
        return {TOPIC: 2}

    def begin(self, known):
        self.places = {
            number: known[TOPIC, number].next if (TOPIC, number) in known else 0 for number in (0, 1)
        }

    def _unread(self):
        return [each for each in self.records if each.offset >= self.places[each.partition]]

    def left(self, _):
        return len(self._unread())

    def poll(self, wait_s):
        found = self._unread()[:AT_ONCE]
        for each in found:
            self.places[each.partition] = each.offset + 1
        if not found:
            time.sleep(wait_s)
        return found

    @property
    def caught_up(self):
        return not self._unread()

    def lag(self):
        return {TOPIC: len(self._unread())}

    def close(self):
        pass


@pytest.fixture(scope="module")
def profiles():
    return replayed_shop(60)[0]


@pytest.fixture
def filled(profiles, monkeypatch, tmp_path):
    """Fills a store until all rows are as of the last instant; returns what is in it then."""
    twice = [*profiles[:20], *profiles]
    places = [sum(each.customer.encode()) % 2 for each in twice]
    rows = [
        PageRecord(
            "profiles", TOPIC, place, places[:number].count(place), each.customer.encode(), encoded_row(each)
        )
        for number, (each, place) in enumerate(zip(twice, places, strict=True))
    ]
    monkeypatch.setattr(module, "PageTopics", Records(rows))
    monkeypatch.setattr(module, "topic_ids", lambda *_: {TOPIC: "id"})
    monkeypatch.setattr(module, "AdminClient", lambda _: None)
    monkeypatch.setattr(module, "AGAIN_S", 0.05)

    def fill(name, many, store_class=SqliteStore):
        monkeypatch.setattr(module, "MANY_ROWS", many)
        store = store_class(tmp_path / name)
        follower = Follower(Follow({}, "g", {TOPIC: "profiles"}, TOPIC, basis(), True), store)
        follower.start()
        last_ms = last_ms_of(profiles)
        wait_until(lambda: follower.fault or store.as_of_ms() == last_ms, lambda: follower.problem)
        follower.stop()
        assert follower.fault is None
        found = contents(store)
        store.close()
        return found

    return fill


class BrokenOff(SqliteStore):
    """Its disk is full for a moment, in the middle of what is written together."""

    written = 0

    def write(self, batch):
        super().write(batch)
        BrokenOff.written += 1
        if BrokenOff.written in {2, 5}:
            raise StoreError("the disk is full")


def test_a_filling_by_other_processes_alone_or_broken_off_comes_to_the_same(filled, profiles, monkeypatch):
    monkeypatch.setattr(module, "WRITTEN_TOGETHER", 3)
    alone = filled("alone.db", 1_000_000)
    helped = filled("helped.db", 1)
    broken = filled("broken.db", 1, BrokenOff)

    assert BrokenOff.written > 5
    assert len(alone["customers"]) == len(profiles)
    assert alone["open_alerts"]
    assert helped == alone
    assert broken == alone
