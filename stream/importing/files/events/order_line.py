"""One line of an order, as it is kept until all lines of the order are known."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from msgspec import Struct

from stream.importing.files.events.order_extras import Extras

OWN_ORDER = "own-"
"""How the numbers begin that orders without a number get."""
NO_TIME = 1 << 62
"""The time of a refused line whose time cannot be read: later than any other."""


class LineStatus(Struct, frozen=True, array_like=True, gc=False):
    """Which status of its order a line is of."""

    text: str
    at_ms: int
    """When the order got it, ms since 1970; 0 where no column says so."""
    cancels: bool


class LinePlace(NamedTuple):
    """Where a line is in the input."""

    sequence: int
    """Its number over all files."""
    file: int
    """Index of the file."""
    line: int
    """Line number in the file."""


class OrderLine(Struct, frozen=True, array_like=True, gc=False):
    """One line of an order; amounts in minor units of the currency."""

    order: str
    customer: str
    sequence: int
    """Number of the line in the whole input, over all files."""
    time_ms: int
    currency: str
    """Empty for a refund that names neither a currency nor an amount: it has that of its order."""
    product: str
    name: str | None
    category: str | None
    brand: str | None
    quantity: int
    """Pieces; 0 for a line that was refused, of which only the extras of its order are left."""
    unit_minor: int
    total_minor: int
    """Negative for a voucher or a discount line: it lowers the total of the order."""
    rounding: int
    """What rounding to whole minor units added to the line, in 1e-9 of a unit."""
    returned: bool
    direct: bool
    """The row is a refund event of the order it names, not a line that went back."""
    file: int
    """Index of the file among the imported files."""
    number: int
    """Line number in the file."""
    extras: Extras | None
    """Extras of the whole order that stand on this line."""
    block: int
    """Equal for lines of one order between which no line of another order stands."""
    status: LineStatus | None = None
    """None where the mapping tells no statuses."""

    @property
    def is_cancelled(self) -> bool:
        """Whether its status is that it, or its order, was cancelled."""
        return self.status is not None and self.status.cancels

    @property
    def changed_ms(self) -> int:
        """When its status was reached, as far as known: else the time of the line."""
        return (self.status.at_ms if self.status is not None else 0) or self.time_ms


class FileDirection:
    """Whether a file has its newest orders at the top: then the lower one of two lines is the older one."""

    def __init__(self) -> None:
        self._last_ms: dict[int, int] = {}
        self._falls: Counter[int] = Counter()

    def note(self, line: OrderLine) -> None:
        """One more line, in the order of the file."""
        before_ms = self._last_ms.get(line.file, line.time_ms)
        if before_ms != line.time_ms:
            self._falls[line.file] += 1 if line.time_ms < before_ms else -1
        self._last_ms[line.file] = line.time_ms

    @property
    def newest_first(self) -> set[int]:
        """Indexes of such files: their times fall more often than they rise."""
        return {file for file, falls in self._falls.items() if falls > 0}
