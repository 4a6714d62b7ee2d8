"""How many customers there are by currency, tier, stage, open alerts, risk and value, and how many open
alerts by kind, currency and tier: columns of two small tables that are kept up with the rows, so that totals
and the map of value and risk need not look at all of them.
"""

from __future__ import annotations

from bisect import bisect_right

from msgspec import Struct

RISK_ENDS = (20, 40, 60, 80)
"""Between the bands of risk, per cent."""
STEPS = tuple(
    round(digits * 10**power) for power in range(2, 10) for digits in (1.0, 1.3, 1.8, 2.4, 3.2, 4.2, 5.6, 7.5)
)
"""Of value, in minor units: eight to a power of ten, two digits each, so that people can read the ends."""
NOT_BOUGHT, NOT_PRICED = -2, -1
"""In place of a step: they never bought; what they are worth is not known."""
_RISKS = tuple(end / 100 for end in RISK_ENDS)


class Cell(Struct, frozen=True):
    """Customers who have all of these in common, as columns of the table `cells`, in this order."""

    currency: str
    tier: int
    stage: str
    open_kinds: str
    risk_band: int
    value_step: int
    customers: int
    minor: int
    """Their values together; 0 where they are not known."""


COUNTED_BY = Cell.__struct_fields__[:-2]


class OpenCell(Struct, frozen=True):
    """Open alerts that have all of these in common, as columns of the table `open_cells`, in this order."""

    kind: str
    currency: str
    tier: int
    urgent: int
    alerts: int
    unknown: int
    """Of these, alerts of which it is not known what is at stake; they are in neither sum."""
    mean: float
    """What is at stake, added up; in minor units."""
    variance: float


OPEN_COUNTED_BY = OpenCell.__struct_fields__[:-4]


def risk_band(risk: float) -> int:
    """How many of the ends are at or below a risk."""
    return bisect_right(_RISKS, risk)


def value_step(orders: int, value_minor: int) -> int:
    """How many steps are at or below a value; below 0 where there is none."""
    if not orders:
        return NOT_BOUGHT
    return bisect_right(STEPS, value_minor) if value_minor >= 0 else NOT_PRICED
