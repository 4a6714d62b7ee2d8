"""`stream fit drift`: a shop that goes on as it was has not drifted; of one that changes it is known how."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.model.document import encode_model
from stream.core.model.record import Horizon
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.drift import TooNewLessonsError, days_of_drift, drift
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.model_file import default_model
from stream.wire import encode_event
from tests.support.builders import at, bought

SHOP_DAYS, LESSONS = 620, 500


def shop(seed=5, customers=700, leaves=0.06):
    """Day, customer and amount of purchases: new customers all the time, each with a gap of their own."""
    chance = np.random.default_rng(seed)
    for number in range(customers):
        day, gap = chance.uniform(0.0, SHOP_DAYS), float(np.exp(chance.normal(2.9, 0.5)))
        while day < SHOP_DAYS:
            yield day, f"c{number}", float(chance.gamma(4.0, 1_000.0))
            if chance.random() < leaves:
                break
            day += chance.exponential(gap)


def events_of(purchases):
    ordered = sorted(purchases)
    return [bought(day, max(1, round(minor)), customer=customer) for day, customer, minor in ordered]


LESSONS_MS = at(LESSONS) // DAY_MS * DAY_MS
END_MS = at(SHOP_DAYS - 1) // DAY_MS * DAY_MS


@pytest.fixture(scope="module")
def model():
    known = [event for event in events_of(shop()) if event.time_ms < LESSONS_MS + DAY_MS]
    first_ms = known[0].time_ms // DAY_MS * DAY_MS
    options = FitOptions("test", "a test", Horizon(), finance=Policy().finance)
    history = read_history(known, snapshot_days(first_ms, LESSONS_MS, options.horizon), Policy())
    return fit_model(history, LESSONS_MS, options, default_model())


def looked_at(events, model):
    history = read_history(events, days_of_drift(model, END_MS), Policy())
    found = drift(history, model, END_MS)
    return found, {one.name for one in found.looks if one.drifted}


def changed(change):
    """The shop whose purchases after the lessons go through `change`."""
    chance = np.random.default_rng(9)
    rows = list(shop())
    kept = [row for row in rows if row[0] < LESSONS]
    return events_of(kept + [new for row in rows if row[0] >= LESSONS for new in change(chance, row)])


def a_third(chance, row):
    return [row] if chance.random() < 0.33 else []


def test_a_shop_that_goes_on_as_it_was_has_not_drifted(model):
    found, drifted = looked_at(events_of(shop()), model)

    assert not drifted, [one.words for one in found.looks]
    assert not found.drifted
    assert {one.name: one.drifted is None for one in found.looks} == dict.fromkeys(
        ("volume", "mix", "inactive_days", "frequency", "monetary", "purchases", "risk"), False
    )


def test_two_thirds_fewer_orders_are_seen_in_volume_in_known_customers_and_in_the_risk(model):
    found, drifted = looked_at(changed(a_third), model)

    assert {"volume", "purchases", "risk"} <= drifted
    volume = next(one for one in found.looks if one.name == "volume")
    assert volume.data < 0.5 * volume.lessons


def test_a_flood_of_new_customers_is_seen_in_the_mix(model):
    def flood(chance, row):
        new = [(row[0], f"n{chance.integers(10**9)}", row[2]) for _ in range(2)]
        return [row, *new]

    assert {"volume", "mix"} <= looked_at(changed(flood), model)[1]


def test_other_prices_are_seen_in_the_amounts_alone(model):
    dearer = events_of((day, who, minor * (3.0 if day >= 200 else 1.0)) for day, who, minor in shop())

    assert looked_at(dearer, model)[1] == {"monetary"}


def test_without_two_weeks_after_the_lessons_there_is_nothing_to_compare(model):
    with pytest.raises(TooNewLessonsError, match="at least 14 days after its lessons"):
        days_of_drift(model, LESSONS_MS + 13 * DAY_MS)


def test_cron_is_told_by_the_exit_code_people_by_words_programs_by_json(model, tmp_path):
    record = tmp_path / "model.json"
    record.write_bytes(encode_model(model))
    files = {
        "steady": events_of(shop()),
        "less": changed(a_third),
    }
    runs = {}
    for name, events in files.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"\n".join(map(encode_event, events)) + b"\n")
        arguments = ["fit", "drift", str(path), "--model", str(record), "--jobs", "1"]
        runs[name] = CliRunner().invoke(main, arguments)
        answer = CliRunner().invoke(main, [*arguments, "--json"])
        assert json.loads(answer.stdout)["drifted"] == (name == "less")
        assert answer.exit_code == runs[name].exit_code

    assert (runs["steady"].exit_code, runs["less"].exit_code) == (0, 1)
    assert "The data are as the lessons were." in runs["steady"].stdout
    assert "DRIFT volume:" in runs["less"].stdout
    assert "fit the model anew" in runs["less"].stdout


def test_events_that_end_before_the_lessons_are_wrong_usage(model, tmp_path):
    record, path = tmp_path / "model.json", tmp_path / "old.jsonl"
    record.write_bytes(encode_model(model))
    old = [event for event in events_of(shop()) if event.time_ms < at(300)]
    path.write_bytes(b"\n".join(map(encode_event, old)) + b"\n")

    run = CliRunner().invoke(main, ["fit", "drift", str(path), "--model", str(record), "--jobs", "1"])

    assert run.exit_code == 2
    assert "these end on" in run.stderr
