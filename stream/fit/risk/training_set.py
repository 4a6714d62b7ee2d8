"""What the risk layer is trained on: customers as of earlier days, and whether they then bought nothing.

Everything lies before the split. Several training days ("inner days" in decision 0006) show how customers
behave lately; several horizons per day show how the share of silent customers falls as one looks longer, so
that a short history can be extrapolated to the real horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from stream.core.model.features import COLUMNS, OF_HABIT, OF_HORIZON, OF_SILENCE, Feature
from stream.core.model.record import Horizon, Model
from stream.core.risk.churn import observe
from stream.core.units import DAY_MS, WEEK_MS
from stream.core.value.clv import own_horizon
from stream.fit.arrays import Flags, Numbers
from stream.fit.history import History, Snapshot

LOOKS = (0.5, 0.75, 1.0, 1.25, 1.5)
"""How far before the split the training days lie, and how long customers are observed after each: both as
multiples of the training horizon."""
HISTORY_MIN = 1.0 / 3.0
"""Share of the history that must lie before a training day."""
HORIZON_SHARE_MAX = 0.5
"""The training horizon is at most this share of the history."""
SAME_HORIZON = 0.9
"""Where the training horizon is at least this share of the real one, thresholds are learnt from outcomes;
otherwise from the predicted risks."""
HORIZON_MIN_MS = 7 * DAY_MS
"""A shorter training horizon teaches nothing about a real one of weeks."""
CASES_MIN = 30
"""With fewer customers who bought again, or who did not, nothing is learnt."""

OF_ONE_HABIT = frozenset(feature.name for feature in (*OF_HABIT, *OF_SILENCE))
"""The same for all customers of one number of purchase days, one span and one silence, without seasons."""


@dataclass(frozen=True)
class TrainingRows:
    """The customers of one training day over one horizon, and whether each bought nothing within it."""

    features: Numbers
    """Shape (customers, features), columns in the order of NAMES."""
    silent: Flags
    """Shape (customers,): True for no purchase within the horizon."""
    shortfall: Numbers
    """Shape (customers,): log of the observed horizon over the customer's real one, at most 0."""
    span_ms: tuple[int, int]
    """The training day, and the end of its longest horizon."""
    weight: float = 1.0
    """Weight of each row: the horizons of one day together count as one look at each customer."""


@dataclass(frozen=True)
class TrainingSet:
    """Outcome and weight of every row of several TrainingRows; all arrays have shape (rows,)."""

    silent: Numbers
    """1 for no purchase, else 0."""
    weight: Numbers
    known: Flags
    """Whether the outcome was known by the newest training day."""
    newest: Flags
    """Whether the row is of the newest training day."""

    def only(self, keep: Flags) -> TrainingSet:
        """The rows where `keep`, shape (rows,), is True."""
        return TrainingSet(self.silent[keep], self.weight[keep], self.known[keep], self.newest[keep])


def training_days(first_ms: int, split_ms: int, horizon_ms: int) -> tuple[int, tuple[int, ...]]:
    """The training horizon and the training days (midnights); no days when the history is too short."""
    span_ms = split_ms - first_ms
    training_ms = min(horizon_ms, int(span_ms * HORIZON_SHARE_MAX)) // DAY_MS * DAY_MS
    if training_ms < HORIZON_MIN_MS:
        return training_ms, ()
    days = [int(split_ms - share * training_ms) // DAY_MS * DAY_MS for share in LOOKS]
    return training_ms, tuple(day for day in days if day - first_ms >= span_ms * HISTORY_MIN)


def training_horizons(day_ms: int, split_ms: int, training_ms: int, horizon_ms: int) -> list[int]:
    """The horizons over which a training day is observed: all that end by the split, the longest last."""
    longest_ms = min(split_ms - day_ms, horizon_ms)
    horizons = [int(share * training_ms) // DAY_MS * DAY_MS for share in LOOKS]
    return [one for one in horizons if DAY_MS <= one <= longest_ms]


def capped(horizon: Horizon, longest_ms: int) -> Horizon:
    """The horizon, cut where observation ends."""
    return Horizon(
        factor=horizon.factor,
        min_ms=min(horizon.min_ms, longest_ms),
        max_ms=min(horizon.max_ms, longest_ms),
    )


def own_horizons_ms(model: Model, snapshot: Snapshot) -> Numbers:
    """Each customer's own horizon, shape (customers,)."""
    unit_ms = model.process.unit_ms
    return np.array(
        [
            own_horizon(model.process, model.horizon, one.frequency, (one.last_ms - one.first_ms) / unit_ms)
            * unit_ms
            for one in snapshot.features
        ]
    )


def feature_matrix(model: Model, snapshot: Snapshot, wanted: Sequence[Feature] = COLUMNS) -> Numbers:
    """These features of every customer, shape (customers, features); by default all, in order of NAMES."""
    matrix = np.empty((len(snapshot.features), len(wanted)))
    alike = np.array([model.seasons is None and one.name in OF_ONE_HABIT for one in wanted], dtype=bool)
    for places, rows_of in ((np.flatnonzero(alike), _rows_of_habits), (np.flatnonzero(~alike), _rows)):
        if not len(places):
            continue
        rows = rows_of(model, snapshot, [wanted[place] for place in places.tolist()])
        matrix[:, places] = np.array(rows, dtype=np.float64).reshape(len(matrix), len(places))
    return matrix


def _rows(model: Model, snapshot: Snapshot, wanted: Sequence[Feature]) -> list[list[float]]:
    return [observe(model, features, snapshot.as_of_ms, wanted) for features in snapshot.features]


def _rows_of_habits(model: Model, snapshot: Snapshot, wanted: Sequence[Feature]) -> list[list[float]]:
    """The same where all customers of one habit and silence have the same values: computed once for them."""
    found: dict[tuple[int, int, int], list[float]] = {}
    rows = []
    for features in snapshot.features:
        habit = features.frequency, features.first_ms, features.last_ms
        if habit not in found:
            found[habit] = observe(model, features, snapshot.as_of_ms, wanted)
        rows.append(found[habit])
    return rows


class TrainingLook:
    """The customers of one training day, by the model of that day, observed over one horizon or several."""

    def __init__(self, model: Model, snapshot: Snapshot, history: History) -> None:
        self._model, self._snapshot = model, snapshot
        self._known_ms = snapshot.as_of_ms + DAY_MS - 1
        self._next_ms = history.next_purchase_ms(snapshot.customers, self._known_ms)
        self._real_ms = own_horizons_ms(model, snapshot)
        self._features: Numbers | None = None

    def over(self, horizon_ms: int, weight: float) -> TrainingRows:
        """The customers with their outcome where nobody is observed for longer than a horizon."""
        horizon = capped(self._model.horizon, horizon_ms)
        observed_ms = np.minimum(self._real_ms, horizon_ms)
        day_ms = self._snapshot.as_of_ms
        return TrainingRows(
            self._features_over(msgspec.structs.replace(self._model, horizon=horizon)),
            self._next_ms > self._known_ms + observed_ms,
            np.log(observed_ms / self._real_ms),
            (day_ms, day_ms + int(observed_ms.max(initial=0))),
            weight,
        )

    def _features_over(self, model: Model) -> Numbers:
        """The features by a model that looks so far ahead; what does not depend on that is computed once."""
        if self._features is None:
            self._features = feature_matrix(model, self._snapshot)
            return self._features
        features = self._features.copy()
        features[:, [one.column for one in OF_HORIZON]] = feature_matrix(model, self._snapshot, OF_HORIZON)
        return features


def enough_to_learn(parts: Sequence[TrainingRows]) -> bool:
    """Whether there are enough customers who bought again and enough who did not."""
    silent = sum(one.weight * int(one.silent.sum()) for one in parts)
    stayed = sum(one.weight * int((~one.silent).sum()) for one in parts)
    return min(silent, stayed) >= CASES_MIN


def newest_look(parts: Sequence[TrainingRows]) -> TrainingRows:
    """The rows of the newest training day over its longest horizon."""
    return max(parts, key=lambda one: one.span_ms)


def learnt_words(
    parts_of: Mapping[int, Mapping[int, TrainingRows]], training_ms: int, horizon: Horizon
) -> str:
    """The record's sentence about what the risk layer learnt from."""
    looks = [found[max(found)] for found in parts_of.values() if found]
    longest_ms = max(max(found) for found in parts_of.values() if found)
    customers = sum(len(one.silent) for one in looks)
    silent = sum(int(one.silent.sum()) for one in looks)
    shorter = ""
    if training_ms < SAME_HORIZON * horizon.max_ms:
        shorter = (
            f" The history is too short to observe {horizon.max_ms / WEEK_MS:.0f} weeks: the share without a "
            f"purchase is extrapolated from how it falls over up to {longest_ms / WEEK_MS:.0f} weeks."
        )
    return (
        f"Learnt from {customers:,} customer histories as of {len(looks)} earlier days; {silent:,} of them "
        f"were followed by no purchase within up to {longest_ms / WEEK_MS:.0f} weeks.{shorter}"
    )


def joined(parts: Sequence[TrainingRows]) -> TrainingSet:
    """All rows below each other, in the order of the parts."""
    newest_ms = max(one.span_ms[0] for one in parts)

    def each(value: Callable[[TrainingRows], float]) -> Numbers:
        return np.concatenate([np.full(len(one.silent), float(value(one))) for one in parts])

    return TrainingSet(
        np.concatenate([one.silent for one in parts]).astype(np.float64),
        each(lambda one: one.weight),
        each(lambda one: one.span_ms[1] <= newest_ms) > 0.0,
        each(lambda one: one.span_ms[0] == newest_ms) > 0.0,
    )
