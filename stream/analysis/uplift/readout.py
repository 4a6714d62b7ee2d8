"""The readout of an experiment: what customers did after their moment, compared between the arms.

Intention to treat: a customer counts in the arm that was drawn, whatever became of the delivery after its
moment. Only customers whose window is over are compared. Where the arms are not of the size that was drawn,
nothing is compared: something other than chance put customers into them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from stream.analysis.statistics.two_arms import (
    LEVEL,
    Difference,
    holm,
    mean_difference,
    sample_ratio_p,
    share_difference,
    smallest_visible_mean,
    smallest_visible_share,
    winsorised,
    without_the_known,
)
from stream.analysis.uplift.follow import After, Lives
from stream.analysis.uplift.records import Entrant, arms_of
from stream.core.policy.arms import HELD_OUT
from stream.core.units import DAY_MS

MISMATCH_P = 0.001
"""Arms whose sizes are less probable than this were not made by chance: every figure is hidden."""
WINSORISED_AT = 0.99
"""Money above this quantile of all compared customers counts as the quantile."""

Verdict = Literal["helps", "hurts", "nothing larger", "not known yet"]
"""
helps           more customers buy again because of alerts, by the interval for all looks
hurts           fewer do
nothing larger  no effect larger than the one that is worth knowing: the whole interval is smaller
not known yet   too few customers to say any of it
"""


class ReadoutOptions(Struct, frozen=True, kw_only=True):
    """What is compared."""

    window_ms: int
    worth: float
    """The smallest difference of shares that would matter to the business, 0 to 1."""
    share: float
    """Of the customers who are held out, as the policy says."""
    as_of_ms: int
    """Windows that end later are not over."""
    currency: str
    """In which money is compared; empty: in none."""


class Comparison(Struct, frozen=True, kw_only=True):
    """The customers of one group, treated against held out. Money is in minor units."""

    treated: int
    held_out: int
    bought_treated: int
    bought_held_out: int
    repurchase: Difference | None = None
    """Difference of the shares who bought again; None: an arm is too small."""
    repurchase_visible: float | None = None
    """The smallest difference of shares that so many customers show; None: an arm is empty."""
    money_treated: float = 0.0
    """Mean of what a customer paid within the window."""
    money_held_out: float = 0.0
    money: Difference | None = None
    """Difference of these means, winsorised and less what was expected of them before."""
    money_visible: float | None = None
    verdict: Verdict = "not known yet"
    money_verdict: Verdict = "not known yet"


class Readout(Struct, frozen=True, kw_only=True):
    """All that is known of an experiment."""

    customers: int
    """Customers, once for each period."""
    treated: int
    held_out: int
    sample_ratio_p: float
    over: int
    """Customers whose window is over and who are compared."""
    erased_treated: int
    erased_held_out: int
    other_money: int
    """Compared customers whose money is in another currency, in whole or in part: it is not counted."""
    all: Comparison | None = None
    """None: the arms are not of the size that was drawn."""
    kinds: dict[str, Comparison] = {}
    tiers: dict[str, Comparison] = {}

    @property
    def fits(self) -> bool:
        """Whether the sizes of the arms can be chance."""
        return self.sample_ratio_p >= MISMATCH_P


def readout_of(entrants: Sequence[Entrant], lives: Lives, choice: ReadoutOptions) -> Readout:
    """Compare the arms of one experiment."""
    treated, held_out = arms_of(entrants)
    erased = [each for each in entrants if lives.erased_after(each.opening.customer, each.moment_ms)]
    gone = Counter(each.arm for each in erased)
    over = [
        each
        for each in entrants
        if each.moment_ms + choice.window_ms <= choice.as_of_ms
        and not lives.erased_after(each.opening.customer, each.moment_ms)
    ]
    after = [
        lives.after(each.opening.customer, each.moment_ms, each.moment_ms + choice.window_ms, choice.currency)
        for each in over
    ]
    found = Readout(
        customers=len(entrants),
        treated=treated,
        held_out=held_out,
        sample_ratio_p=sample_ratio_p(held_out, len(entrants), choice.share),
        over=len(over),
        erased_treated=len(erased) - gone[HELD_OUT],
        erased_held_out=gone[HELD_OUT],
        other_money=sum(each.paid_otherwise for each in after),
    )
    if not found.fits:
        return found
    compare = _Compare(over, after, choice)
    return replace(
        found,
        all=compare.judged([np.ones(len(over), dtype=bool)])[0],
        kinds=compare.by(lambda each: each.opening.kind),
        tiers=compare.by(lambda each: each.opening.tier),
    )


class _Compare:
    """Compares groups of the customers whose window is over."""

    def __init__(self, over: Sequence[Entrant], after: Sequence[After], choice: ReadoutOptions) -> None:
        self._over, self._choice = over, choice
        self._treated = np.array([each.is_treated for each in over], dtype=bool)
        self._bought = np.array([each.bought for each in after], dtype=bool)
        self._paid = np.array([each.paid_minor for each in after], dtype=np.float64)
        known = [(each.opening.stake_minor or 0, each.opening.score) for each in over]
        self._known = np.array(known, dtype=np.float64).reshape(len(over), 2)

    def by(self, name: Callable[[Entrant], str]) -> dict[str, Comparison]:
        """A comparison for each name, in order; verdicts are of all of them together."""
        names = [name(each) for each in self._over]
        found = sorted(set(names))
        groups = [np.array([each == one for each in names], dtype=bool) for one in found]
        return dict(zip(found, self.judged(groups), strict=True))

    def judged(self, groups: Sequence[np.ndarray]) -> list[Comparison]:
        """Comparisons with their verdicts, which are adjusted for the number of groups."""
        found = [self._compared(group) for group in groups]
        shares = verdicts([each.repurchase for each in found], self._choice.worth)
        means = verdicts([each.money for each in found], None)
        return [
            replace(one, verdict=share, money_verdict=mean)
            for one, share, mean in zip(found, shares, means, strict=True)
        ]

    def _compared(self, group: np.ndarray) -> Comparison:
        treated, held = group & self._treated, group & ~self._treated
        n, n_held = int(treated.sum()), int(held.sum())
        hits, hits_held = int(self._bought[treated].sum()), int(self._bought[held].sum())
        found = Comparison(treated=n, held_out=n_held, bought_treated=hits, bought_held_out=hits_held)
        if not n or not n_held:
            return found
        visible = smallest_visible_share((hits + hits_held + 1) / (n + n_held + 2), n, n_held)
        found = replace(
            found, repurchase=share_difference(hits, n, hits_held, n_held), repurchase_visible=visible
        )
        return self._with_money(found, group) if self._choice.currency else found

    def _with_money(self, found: Comparison, group: np.ndarray) -> Comparison:
        paid, treated = winsorised(self._paid[group], WINSORISED_AT), self._treated[group]
        adjusted = without_the_known(paid, self._known[group], treated)
        difference = mean_difference(adjusted[treated], adjusted[~treated])
        return replace(
            found,
            money_treated=float(self._paid[group][treated].mean()),
            money_held_out=float(self._paid[group][~treated].mean()),
            money=difference,
            money_visible=smallest_visible_mean(float(adjusted.std()), found.treated, found.held_out)
            if difference
            else None,
        )


def verdicts(found: Sequence[Difference | None], worth: float | None) -> list[Verdict]:
    """The verdicts of comparisons that are looked at together: the more there are, the more it takes.

    `worth`: a difference of this size would matter; None: of any size.
    """
    adjusted = holm([each.p_value if each else 1.0 for each in found])
    return [_verdict(each, p, worth) for each, p in zip(found, adjusted, strict=True)]


def _verdict(found: Difference | None, p_value: float, worth: float | None) -> Verdict:
    if found is None:
        return "not known yet"
    if p_value < LEVEL and not found.low <= 0 <= found.high:
        return "helps" if found.value > 0 else "hurts"
    if worth is not None and max(abs(found.low), abs(found.high)) <= worth:
        return "nothing larger"
    return "not known yet"


def days_of(window_ms: int) -> int:
    """A window in whole days."""
    return window_ms // DAY_MS
