"""Which features depend on how far ahead a model looks: a fit computes the others once for all horizons."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stream.core.model.features import OF_HORIZON, Features
from stream.core.risk.churn import observe
from stream.core.units import DAY_MS
from stream.model_file import default_model
from tests.support.seasons import seasonal_model

PLAIN, SEASONAL = default_model(), seasonal_model()
OWN_HORIZONS = msgspec.structs.replace(SEASONAL, horizon=PLAIN.horizon)
customers = st.builds(
    Features,
    frequency=st.integers(0, 40),
    first_ms=st.just(15_000 * DAY_MS),
    last_ms=st.integers(15_040, 17_000).map(lambda day: day * DAY_MS),
    regularity=st.floats(0, 2),
    recent=st.floats(0.1, 9),
    engagement=st.floats(0, 9),
    by_month=st.lists(st.integers(0, 4), min_size=12, max_size=12).map(tuple),
)


@given(
    st.sampled_from([PLAIN, SEASONAL, OWN_HORIZONS]),
    customers,
    st.integers(0, 900 * DAY_MS),
    st.integers(1, 60),
)
def test_looking_less_far_ahead_changes_only_the_features_that_say_so(model, features, silent_ms, weeks):
    most_ms = weeks * 7 * DAY_MS
    horizon = msgspec.structs.replace(
        model.horizon, min_ms=min(model.horizon.min_ms, most_ms), max_ms=min(model.horizon.max_ms, most_ms)
    )
    nearer = msgspec.structs.replace(model, horizon=horizon)
    now_ms = features.last_ms + silent_ms

    far, near = (observe(one, features, now_ms) for one in (model, nearer))

    ahead = {feature.column for feature in OF_HORIZON}
    assert [one for place, one in enumerate(far) if place not in ahead] == [
        one for place, one in enumerate(near) if place not in ahead
    ]
    assert [near[one.column] for one in OF_HORIZON] == observe(nearer, features, now_ms, OF_HORIZON)
