"""A refit from profiles keeps all of a model that profiles cannot teach it anew."""

from msgspec.structs import replace

from stream.core.model.record import Horizon, Model, Retention, RiskLayer, RiskSegment, Term, Thresholds
from stream.core.units import DAY_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions
from stream.fit.refit import refit
from stream.model_file import default_model
from stream.policy_file import default_policy
from tests.support.builders import bought
from tests.support.seasons import SEASONS

QUARTER = Horizon(min_ms=91 * DAY_MS, max_ms=91 * DAY_MS)
LAYER = RiskLayer(
    segments=(RiskSegment(frequency_min=0, intercept=-0.5, terms=(Term(feature="lateness", weight=0.4),)),),
    learnt="in a test",
)
CURRENT = replace(
    default_model(),
    horizon=QUARTER,
    risk=LAYER,
    risk_of="The risk is that of the learnt layer, because a test says so.",
    thresholds=Thresholds(raise_at=0.6, clear_at=0.5, learnt="in a test"),
    retention=Retention(alpha=1.0, beta=2.0),
    seasons=SEASONS,
)
LEARNT_ANEW = {
    *{"name", "source", "fitted_at_ms", "currency", "process", "spend", "population", "prior", "tables"},
    *{"notes", "version"},
}


def profiles():
    events = [
        bought(day, 5_000 + 10 * number, customer=f"c{number}", order=f"{number}-{day}")
        for number in range(40)
        for day in range(number % 7, 60 + number * 3, 7 + number % 5)
    ]
    return read_history(sorted(events, key=lambda event: event.time), (), default_policy()).profiles


def options(horizon):
    return FitOptions("test", "profiles", horizon, finance=default_policy().finance)


def test_a_refit_keeps_every_field_that_it_does_not_learn_anew():
    model = refit(profiles(), CURRENT, options(Horizon()))

    for field in set(Model.__struct_fields__) - LEARNT_ANEW - {"seasons"}:
        assert getattr(model, field) == getattr(CURRENT, field), field
    assert model.seasons is not None
    assert model.seasons.kinds == SEASONS.kinds


def test_a_refit_without_a_learnt_layer_still_says_why_there_is_none():
    current = replace(CURRENT, risk=None, thresholds=None, risk_of="The history was too short.")

    assert refit(profiles(), current, options(Horizon())).risk_of == "The history was too short."


def test_a_refit_has_the_horizon_that_it_is_asked_for():
    month = Horizon(min_ms=30 * DAY_MS, max_ms=30 * DAY_MS)

    assert refit(profiles(), CURRENT, options(month)).horizon == month
