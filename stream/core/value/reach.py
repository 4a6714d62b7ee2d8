"""How far a customer's value reaches where their purchases do not go by the calendar's clock.

The purchase process counts purchases per unit of a clock. By a model that knows seasons that is the
customer's own purchasing time (risk/season.py). A span in which it passes twice as fast holds as many
purchases as one of twice the length: so the tables of the process serve for it as they are. Money is
discounted by the calendar all the same.
"""

from __future__ import annotations

from typing import NamedTuple


class Reach(NamedTuple):
    """The spans of one customer's value by the clock of their purchases, in units of the purchase process."""

    within: float
    """The customer's own horizon, within which the stated chance of a purchase is meant."""
    span: float
    """The horizon of the value."""
    kept: float
    """What a purchase within it is worth today in the mean, discounted: at most 1."""
    further: float = 1.0
    """How many times as fast as by the process purchases come after the next one (`Further`)."""
