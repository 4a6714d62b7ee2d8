"""Rows of many customers are worked out by other processes, as this one would; one that cannot be looked at
stops none of the others, shows on the pages, and is tried again."""

import os
import signal

import msgspec
import pytest

from stream.core.facts.profile import Profile
from stream.page.entries import OpenEntry, customer_entry, open_entries
from stream.page.live.looking import NewRow, Seen, add_rows, look_at, read_rows
from stream.page.live.reading_rows import RowReader
from stream.page.live.record import PageRecord
from stream.page.live.rounds import Rounds
from stream.page.live.row_processes import RowProcesses, RowWorker, Work
from stream.page.screens.not_counted import not_counted_today
from stream.page.screens.open_list import alert_of
from stream.page.screens.view import View
from stream.page.store.sqlite import SqliteStore
from stream.worker.rows.stored import read_profile
from tests.support.builders import basis, history_basis, learnt_basis
from tests.support.live_shop import encoded_row, replayed_shop

NOW_MS = 1_900_000_000_000


@pytest.fixture(scope="module")
def profiles():
    return replayed_shop(120)[0]


@pytest.fixture(scope="module")
def rows(profiles):
    good = [NewRow(each.customer, encoded_row(each), 0) for each in profiles]
    return [*good, NewRow("broken", b'{"profile":7}', 0), NewRow("gone", b"", 0)]


@pytest.fixture
def store(tmp_path):
    kept = SqliteStore(tmp_path / "store.db")
    kept.open_for("x")
    yield kept
    kept.close()


def test_other_processes_come_to_the_same_rows_in_any_number_of_parts(rows):
    whole = RowWorker(basis()).done(Work(rows, NOW_MS, {}))

    with RowProcesses(basis(), 2) as processes:
        parts = [processes.submit(Work(rows[start::5], NOW_MS, {})) for start in range(5)]
        found = [part.result(60) for part in parts]

    for name in ("customers", "profiles", "opened", "erased", "unseen"):
        joined = [each for part in found for each in getattr(part.seen, name)]
        assert sorted(joined, key=repr) == sorted(getattr(whole.seen, name), key=repr), name
    assert max(part.latest_ms for part in found) == whole.latest_ms
    assert (len(whole.seen.customers), whole.seen.erased) == (120, ["broken", "gone"])


def test_customers_are_looked_at_with_the_published_model_of_their_partition(rows, profiles):
    other = msgspec.structs.replace(basis().model, version="other")

    with RowProcesses(basis(), 1) as processes:
        seen = processes.submit(Work(rows, NOW_MS, {0: (basis().policy, other)})).result(60).seen

    plain = RowWorker(basis()).done(Work(rows, NOW_MS, {})).seen
    assert [each.risk for each in seen.customers] == [each.risk for each in plain.customers]
    assert not any(each.data for each in seen.opened)


def test_work_of_a_process_that_was_killed_is_done_all_the_same(rows):
    with RowProcesses(basis(), 1) as processes:
        processes.submit(Work(rows[:1], NOW_MS, {})).result(60)
        (child,) = processes._processes
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)

        seen, _ = processes.submit(Work(rows, NOW_MS, {})).result(60)

    assert len(seen.customers) == 120


def test_no_process_is_left_behind(rows):
    with RowProcesses(basis(), 2) as processes:
        children = [*processes._processes]

    assert [child.poll() for child in children] == [-9, -9]


def test_an_alert_that_was_not_worked_out_yet_is_worked_out_as_of_its_row(rows, store):
    known = read_rows(rows, basis().meaning.digest, Seen())
    brief = Seen()
    look_at(known, NOW_MS, lambda _: basis(), brief)
    reader = RowReader(basis(), {}, {})
    store.write(reader.put_together(reader.gather([]), brief))
    view = View(basis(), NOW_MS + 1, "", has_alerts=True)

    with store.reading() as reading:
        columns = ", ".join(OpenEntry.__struct_fields__)
        found = [OpenEntry(*row) for row in reading.rows(f"SELECT {columns} FROM open_alerts")]
        shown_as = {(each.customer, each.kind): alert_of(reading, each, view) for each in found}

    profiles = [read_profile(text) for _, _, text in known.profiles]
    whole = [each for profile in profiles for each in open_entries(profile, NOW_MS, basis())]
    expected = {(each.customer, each.kind): each for each in whole}
    assert len(found) == len(expected) > 3
    for entry in found:
        same = expected[entry.customer, entry.kind]
        assert msgspec.structs.replace(entry, data=same.data) == same
        assert msgspec.json.encode(shown_as[entry.customer, entry.kind]) == same.data


def test_a_customer_who_cannot_be_looked_at_is_told_on_the_page_and_tried_again(profiles, store, monkeypatch):
    """Only a fault of ours can do it: a profile that fits its type, and that a rule of ours stumbles over."""
    real = customer_entry

    def stumbling(profile, as_of_ms, policy, now):
        if profile.customer == profiles[0].customer:
            raise ZeroDivisionError
        return real(profile, as_of_ms, policy, now)

    def seen_there():
        with store.reading() as reading:
            many = reading.one("SELECT COUNT(*) FROM customers")[0]
            return many, not_counted_today(reading, View(basis(), NOW_MS, "", has_alerts=True))

    monkeypatch.setattr("stream.page.live.looking.customer_entry", stumbling)
    reader = RowReader(basis(), {}, {})
    records = [
        PageRecord("profiles", "p", 0, place, each.customer.encode(), encoded_row(each))
        for place, each in enumerate(profiles)
    ]
    store.write(reader.batch(records, lambda: NOW_MS))
    first = seen_there()
    rounds = Rounds(store, lambda _: basis(), lambda: NOW_MS + 1, pause_min_s=0.0)
    rounds.begin_at_once()
    while rounds.step() and rounds.running:
        pass
    second = seen_there()
    monkeypatch.undo()
    rounds.begin_at_once()
    while rounds.step() and rounds.running:
        pass

    assert first == second
    assert first[0] == 119
    assert "1 customer whom this program cannot look at (a fault of ours; its log says more)" in first[1]
    assert seen_there() == (120, "")


@pytest.mark.parametrize("by", [basis, learnt_basis, history_basis])
def test_a_profile_in_brief_comes_to_the_row_of_the_whole_without_reading_the_whole(rows, by, monkeypatch):
    known = read_rows(rows, by().meaning.digest, Seen())
    brief = [(profile, text) for profile, _, text in known.profiles if not isinstance(profile, Profile)]
    assert len(brief) > len(rows) / 2
    monkeypatch.setattr("stream.page.live.looking.read_profile", None)
    seen = Seen()

    for profile, text in brief:
        add_rows(seen, profile, NOW_MS, by(), text)

    assert seen.customers == [customer_entry(read_profile(text), NOW_MS, by()) for _, text in brief]
    assert (seen.opened, seen.unseen) == ([], [])


def test_more_than_is_in_brief_is_read_from_the_whole(rows, monkeypatch):
    known = read_rows(rows, basis().meaning.digest, Seen())
    profile, _, text = next(each for each in known.profiles if not isinstance(each[0], Profile))

    def curious(profile, *given):
        return msgspec.structs.replace(customer_entry(profile, *given), orders=len(profile.buying.orders))

    monkeypatch.setattr("stream.page.live.looking.customer_entry", curious)
    seen = Seen()
    add_rows(seen, profile, NOW_MS, basis(), text)

    assert [each.orders for each in seen.customers] == [len(read_profile(text).buying.orders)]
