"""The population of a model is in one currency; customers of another are named in a note, and not ranked."""

import pytest

from stream.core.judgement.basis import Basis
from stream.core.model.record import Horizon
from stream.core.units import DAY_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.purchases.processes import UnfitError
from stream.fit.refit import refit
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy
from tests.support.builders import bought

RATED = parse_policy('[finance]\ncurrency = "USD"\nrates = { KWD = "3.25" }\n')
IN_DOLLARS = parse_policy('[finance]\ncurrency = "USD"\n')
IN_YEN = parse_policy('[finance]\ncurrency = "JPY"\n')


def customers(count, currency, minor, prefix=""):
    events = [
        bought(
            day,
            minor + 10 * number,
            customer=f"{prefix}{number}",
            currency=currency,
            order=f"{prefix}{number}-{day}",
        )
        for number in range(count)
        for day in range(number % 7, 60 + number * 3, 7 + number % 5)
    ]
    return sorted(events, key=lambda event: event.time)


def together(*lives):
    return sorted((event for life in lives for event in life), key=lambda event: event.time)


def history_of(events, policy):
    split_ms = events[-1].time_ms // DAY_MS * DAY_MS
    days = snapshot_days(events[0].time_ms // DAY_MS * DAY_MS, split_ms, Horizon())
    return read_history(events, days, policy), split_ms


def fitted(events, policy):
    options = FitOptions("test", "a test", Horizon(), finance=policy.finance)
    history, split_ms = history_of(events, policy)
    return fit_model(history, split_ms, options, default_model())


def money_of(model):
    return model.population.value_quantiles, model.population.monetary_minor, model.spend, model.prior


DOLLARS = customers(60, "USD", 5_000, "u")
DINARS = customers(40, "KWD", 90_000, "k")


def test_customers_of_another_currency_do_not_move_what_is_reckoned_in_money():
    alone, mixed = fitted(DOLLARS, default_policy()), fitted(together(DOLLARS, DINARS), default_policy())

    assert (alone.currency, mixed.currency) == ("USD", "USD")
    assert mixed.population.value_quantiles == pytest.approx(alone.population.value_quantiles, rel=0.5)
    assert max(mixed.population.monetary_minor.values) == max(alone.population.monetary_minor.values)
    assert mixed.prior.first_value_minor == alone.prior.first_value_minor
    assert mixed.population.customers == 100, "when they buy says something of everybody"


def test_a_note_counts_who_is_not_ranked_and_names_the_remedy():
    (note,) = [
        note for note in fitted(together(DOLLARS, DINARS), default_policy()).notes if "currency" in note
    ]

    assert note == (
        "40 customers pay in another currency than USD (40 in KWD): they are not ranked, and their money is "
        'not added; name currency = "USD" and rates for them in [finance] of the policy.'
    )
    (note,) = [note for note in fitted(together(DOLLARS, DINARS), IN_DOLLARS).notes if "currency" in note]
    assert note.endswith("; name rates for them in [finance] of the policy.")


def test_with_rates_all_customers_are_one_population():
    twins = customers(60, "KWD", 50_000, "k")  # 3.25 times as much
    model = fitted(together(DOLLARS, twins), RATED)

    assert model.currency == "USD"
    assert not [note for note in model.notes if "currency" in note]
    assert max(model.population.value_quantiles) > 2 * max(fitted(DOLLARS, RATED).population.value_quantiles)


def test_a_policy_in_whose_currency_nobody_pays_fits_nothing_and_says_so():
    with pytest.raises(UnfitError, match=r"no customer's money is in JPY \(\[finance\] currency and rates\)"):
        fitted(DOLLARS, IN_YEN)


def test_a_fitted_model_and_the_policy_it_was_fitted_with_make_a_basis():
    assert Basis(RATED, fitted(together(DOLLARS, DINARS), RATED)).ranking == "USD"


def test_a_refit_from_profiles_has_one_currency_too():
    events = together(DOLLARS, DINARS)
    history, _ = history_of(events, default_policy())
    options = FitOptions("test", "a test", Horizon(), finance=default_policy().finance)
    model = refit(history.profiles, default_model(), options)

    assert model.currency == "USD"
    assert any(
        note.startswith("40 customers pay in another currency than USD (40 in KWD)") for note in model.notes
    )
