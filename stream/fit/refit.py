"""A refit from profiles as they are now: no history is read, so nothing can be learnt of what followed.

Process, spend and population are fitted anew to everybody's sufficient statistics; how the features are
weighed and where alerts are raised stays as it was learnt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from stream.core.facts.profile import Profile
from stream.core.model.document import sealed
from stream.core.model.record import Model
from stream.core.units import DAY_MS
from stream.fit.history import History, take_snapshot
from stream.fit.model_fit import Wishes, plain_model, tables_of
from stream.fit.purchases.processes import UnfitError


def last_purchase_ms(profiles: Mapping[str, Profile]) -> int:
    """The newest purchase of all; UnfitError when there is none."""
    last_ms = max((profile.buying.sums.last_at_ms for profile in profiles.values()), default=0)
    if not last_ms:
        raise UnfitError("no purchase in these profiles: nothing to fit")
    return last_ms


def refit(profiles: Mapping[str, Profile], current: Model, wishes: Wishes) -> Model:
    """The model of these profiles as of the day of their newest purchase."""
    as_of_ms = last_purchase_ms(profiles) // DAY_MS * DAY_MS
    currencies = Counter(
        profile.buying.currency for profile in profiles.values() if profile.buying.sums.orders
    )
    history = History(currencies=currencies)
    plain, notes = plain_model(take_snapshot(profiles, as_of_ms), history, wishes, current)
    notes.append(
        f"Refitted from profiles: the weights of churn risk and its thresholds are those of model "
        f"{current.name} {current.version}; learn them anew from events from time to time."
        if current.risk is not None
        else "Refitted from profiles, which tell nothing of what followed: "
        "churn risk is that of the purchase process."
    )
    return sealed(
        msgspec.structs.replace(
            plain,
            risk=current.risk,
            thresholds=current.thresholds,
            tables=tables_of(plain.process, wishes.finance) if wishes.finance else (),
            notes=tuple(notes),
        )
    )
