"""Extreme histories: a fit says in a note what it assumed, and its model gives sound values."""

import math

import pytest

from stream.core.model.document import decode_model, encode_model
from stream.core.model.record import Horizon
from stream.core.policy.policy import Policy
from stream.core.risk.churn import explained_risk
from stream.core.units import DAY_MS
from stream.core.value.lifetime import customer_value, valuation
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.purchases.processes import UnfitError
from stream.model_file import default_model
from tests.support.builders import at, bought

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not


def lives(customers, days, minor=5_000, **more):
    events = [
        bought(day, minor, customer=f"c{number}", **more)
        for number in range(customers)
        for day in days(number)
    ]
    return sorted(events, key=lambda event: event.time)


def fitted(events):
    """The model of a history, and everybody as of its last day."""
    policy = Policy()
    split_ms = max((event.time_ms for event in events), default=at(0)) // DAY_MS * DAY_MS
    first_ms = min((event.time_ms for event in events), default=at(0)) // DAY_MS * DAY_MS
    options = FitOptions("test", "a test", Horizon(), finance=policy.finance)
    history = read_history(events, snapshot_days(first_ms, split_ms, options.horizon), policy)
    return fit_model(history, split_ms, options, default_model()), history.snapshots[split_ms]


HISTORIES = {
    "one customer, one purchase": (lives(1, lambda _: [0]), "The purchase process is that of"),
    "one customer, a thousand purchases": (lives(1, lambda _: range(1_000)), "too few customers"),
    "everybody bought once": (lives(200, lambda n: [n % 90]), "The purchase process is that of"),
    "everybody bought once, on one day": (lives(50, lambda _: [3]), "The purchase process is that of"),
    "like clockwork, and nobody left": (lives(60, lambda n: range(n % 7, 400, 7)), "Nobody is seen to leave"),
    "all gaps alike, half have left": (
        lives(400, lambda n: range(n % 7, 200 if n % 2 else 60, 10)),
        None,
    ),
    "thirty years": (lives(80, lambda n: range(n, 30 * 365, 400 + n)), None),
    "nothing cost anything": (lives(200, lambda n: range(n % 30, 300, 20 + n % 13), minor=0), "has a price"),
    "money without variation": (lives(200, lambda n: range(n % 30, 300, 20 + n % 13)), None),
    "three days of a young shop": (lives(300, lambda n: [0, 1 + n % 2]), "too short"),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_fit_says_what_it_assumed_and_its_model_is_sound(name):
    events, note = HISTORIES[name]

    model, snapshot = fitted(events)

    if note is not None:
        assert note.lower() in " ".join((model.risk_of, *model.notes)).lower(), model.notes
    assert decode_model(encode_model(model)) is not None
    rules = valuation(model, 3 * 365 * DAY_MS, 0.1)
    unit_ms = model.process.unit_ms
    for one in snapshot.features[:20]:
        for later_ms in (0, 30 * DAY_MS, 3_000 * DAY_MS):
            assert 0.0 <= explained_risk(model, one, snapshot.as_of_ms + later_ms).score <= 1.0
        t_x, age = (one.last_ms - one.first_ms) / unit_ms, (snapshot.as_of_ms - one.first_ms) / unit_ms
        for chance in (None, 0.0, 0.4, 1.0):
            value = customer_value(rules, one.frequency, t_x, age, one.monetary_minor, chance)
            assert 0.0 <= value.finite_minor < math.inf
            assert value.finite_minor <= value.infinite_minor * (1 + 5e-3) < math.inf


def test_no_purchase_at_all_is_nothing_to_fit():
    with pytest.raises(UnfitError, match="no purchase"):
        fitted([])


def test_several_currencies_are_a_note_and_not_added_up():
    euros = lives(60, lambda n: range(n % 9, 200, 9 + n % 5), currency="EUR")
    yen = lives(40, lambda n: range(n % 9, 200, 9 + n % 5), currency="JPY", minor=900_000)

    model, _ = fitted(sorted([*euros, *yen], key=lambda event: event.time))

    assert model.currency == "EUR"
    assert any(
        one.startswith("Orders in another currency than the first one of their customer: ")
        for one in model.notes
    )
