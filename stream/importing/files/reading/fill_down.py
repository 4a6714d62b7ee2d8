"""Fields that an export writes only on the first line of an order."""

from __future__ import annotations

from collections.abc import Sequence

from stream.importing.files.reading.row import Values


class FillDown:
    """Fills blank cells of `fields` with the last value above that belongs to the same order."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields
        self._order = ""
        self._above: Values = {}

    def filled(self, values: Values) -> Values:
        """A row with its blank cells filled; rows must come in the order of the file."""
        order = values.get("order", "").strip()
        if order != self._order:
            self._order, self._above = order, {}
        for name in self.fields:
            if values.get(name, "").strip():
                self._above[name] = values[name]
        return {
            **values,
            **{name: text for name, text in self._above.items() if not values.get(name, "").strip()},
        }
