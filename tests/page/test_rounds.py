"""Rounds: risk, worth and order of all customers as of now, a few at a time, equal to `stream explain`."""

import random
import re

import pytest

from stream.core.judgement.episode import is_open
from stream.core.judgement.standing import standing
from stream.core.policy.policy import ALERT_KINDS
from stream.core.units import DAY_MS
from stream.ops.customer import snapshot_from_files
from stream.page.entries import AlertEntry, CustomerEntry, customer_entry, open_entries
from stream.page.live import rounds as module
from stream.page.live.looking import add_rows
from stream.page.live.rounds import KEPT_ALERTS_MS, Rounds
from stream.page.screens.one_customer.screen import customer_screen
from stream.page.screens.view import View
from stream.page.sources.fill import fill
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch, StoreError
from stream.wording.profile import profile_sections
from tests.support.builders import basis
from tests.support.dashboard_pages import contents, stored_profile
from tests.support.replayed_shop import write_replayed_shop


class Clock:
    """The shop's time, and the time that the machine counts."""

    def __init__(self, now_ms):
        self.now_ms, self.seconds = now_ms, 0.0


@pytest.fixture
def kept(shop_files, tmp_path):
    """A store as of the last event, its clock, and rounds over it."""
    store = SqliteStore(tmp_path / "store.db")
    fill(store, replay_files(shop_files[0], None, basis()))
    clock = Clock(store.as_of_ms())
    policy = basis()
    yield store, clock, Rounds(store, lambda _: policy, lambda: clock.now_ms, lambda: clock.seconds)
    store.close()


def whole(rounds):
    """One round, and how many steps it took."""
    steps = 0
    while rounds.step():
        steps += 1
        if not rounds.running:
            return steps
    return steps


def test_a_round_makes_every_row_one_of_now_in_slices(kept, monkeypatch):
    monkeypatch.setattr(module, "SLICE_ROWS", 30)
    store, clock, rounds = kept
    clock.now_ms += 45 * DAY_MS

    steps = whole(rounds)

    assert steps == 160 / 30 // 1 + 2
    with store.reading() as reading:
        for row in contents(store)["customers"]:
            entry = CustomerEntry(*row)
            assert entry.as_of_ms == clock.now_ms
            profile = stored_profile(reading, entry.customer)
            assert entry == customer_entry(profile, clock.now_ms, basis())
    assert store.as_of_ms() == clock.now_ms


def statements(store):
    """What is run on the store, from now on."""
    found: list[str] = []
    store._writer.set_trace_callback(found.append)
    return found


def test_a_round_writes_only_the_columns_that_have_changed(kept):
    """An index is rewritten only where a column of it is named: most are of what no round changes."""
    store, clock, rounds = kept
    clock.now_ms += DAY_MS
    found = statements(store)

    whole(rounds)

    changed = [
        each
        for each in found
        if re.match(r"(INSERT INTO|UPDATE|DELETE FROM) (customers|open_alerts)\b", each)
    ]
    assert len(changed) > 100
    assert not [each for each in changed if not each.startswith("UPDATE ")]
    named = {name for each in changed for name in re.findall(r"(\w+) = ", each.partition(" WHERE ")[0])}
    of_time = {"risk", "risk_rise", "value_minor", "held", "as_of_ms", "risk_band", "value_step"}
    of_alerts = {"score", "score_before", "worth", "likely_lost", "stake_mean", "stake_variance"}
    of_alerts |= {"stake_low_minor", "stake_minor", "stake_high_minor", "data"}
    assert {"risk", "score"} < named <= of_time | of_alerts


def test_a_round_that_finds_everything_as_it_was_writes_no_row(kept):
    store, clock, rounds = kept
    clock.now_ms += DAY_MS
    whole(rounds)
    rounds.begin_at_once()
    found = statements(store)

    whole(rounds)

    assert [each for each in found if each.startswith("SELECT rowid")]
    assert not [
        each for each in found if re.match(r"(INSERT INTO|UPDATE|DELETE FROM) (customers|cells|open)", each)
    ]


def test_who_is_erased_by_another_process_during_a_round_does_not_come_back(kept, monkeypatch):
    store, clock, rounds = kept
    clock.now_ms += DAY_MS
    other = SqliteStore(store.path)
    other._writer.execute("PRAGMA busy_timeout = 0")
    refused = []

    def erase_meanwhile(*given):
        with pytest.raises(StoreError, match="locked") as answer:
            other.write(Batch(erased=["customer-00001"]))
        refused.append(answer)
        return add_rows(*given)

    monkeypatch.setattr(module, "add_rows", erase_meanwhile)
    whole(rounds)
    monkeypatch.undo()
    other.write(Batch(erased=["customer-00001"]))
    other.close()

    assert refused
    assert "customer-00001" not in str(contents(store))


def test_the_next_round_waits_a_minute_at_least_and_less_than_an_hour(kept):
    _, clock, rounds = kept
    clock.now_ms += DAY_MS
    whole(rounds)
    clock.now_ms += DAY_MS

    assert not rounds.step()
    clock.seconds += 59
    assert not rounds.step()
    clock.seconds += 2
    assert whole(rounds)
    rounds.begin_at_once()
    clock.now_ms += DAY_MS
    assert rounds.step()
    clock.seconds += 10_000
    whole(rounds)
    clock.now_ms += DAY_MS
    clock.seconds += 3_301
    assert rounds.step()


def test_nothing_is_done_while_time_stands_still(kept):
    _, clock, rounds = kept
    whole(rounds)
    clock.seconds += 10_000

    assert not rounds.step()


def test_words_about_nobody_are_forgotten_in_the_second_round_and_old_alerts_in_the_first(kept):
    store, clock, rounds = kept
    sent = [
        AlertEntry("early", "nobody", "churn_risk", "raised", clock.now_ms, 1, b"{}"),
        AlertEntry(
            "old", "customer-00001", "churn_risk", "raised", clock.now_ms - KEPT_ALERTS_MS - 1, 1, b"{}"
        ),
        AlertEntry("kept", "customer-00001", "churn_risk", "raised", clock.now_ms, 1, b"{}"),
    ]
    store.write(Batch(alerts=sent))
    left = []
    for _ in range(2):
        clock.now_ms += 1
        clock.seconds += 10_000
        whole(rounds)
        left.append([row[0] for row in contents(store)["alerts"]])

    assert left == [["early", "kept"], ["kept"]]


@pytest.mark.slow
def test_rows_and_pages_of_1000_customers_are_those_of_explain_at_the_same_instant(tmp_path):
    profiles, alerts = write_replayed_shop(tmp_path, customers=1_200)
    policy = basis()
    store = SqliteStore(tmp_path / "store.db")
    fill(store, replay_files(profiles, alerts, policy))
    now_ms = store.as_of_ms() + 20 * DAY_MS
    whole(Rounds(store, lambda _: policy, lambda: now_ms))
    view = View(policy, now_ms, "", has_alerts=True)
    rows = random.Random(7).sample(contents(store)["customers"], 1_000)
    opened = contents(store)["open_alerts"]

    checked = 0
    with store.reading() as reading:
        for entry in (CustomerEntry(*row) for row in rows):
            known = snapshot_from_files(profiles, None, entry.customer, policy, now_ms)
            assert known.profile is not None
            if entry.orders:
                assert entry.risk == standing(known.profile, now_ms, policy).risk
            screen = customer_screen(reading, entry.customer, view)
            assert screen is not None
            explained = {each.title: each.lines for each in profile_sections(known.profile, now_ms, policy)}
            assert screen.sections == {title: tuple(lines) for title, lines in explained.items()}
            kinds = [kind for kind in ALERT_KINDS if is_open(known.profile.judgement.episodes.get(kind))]
            own = sorted(row for row in opened if row[0] == entry.customer)
            wanted = sorted(
                tuple(getattr(each, name) for name in each.__struct_fields__)
                for each in open_entries(known.profile, now_ms, policy, brief=True)
            )
            assert own == wanted
            checked += len(kinds)
    store.close()
    assert checked > 100
