"""Values that a row lacks: from the rows above of the same order, or constants of the mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream.importing.files.reading.row import Values


class FillDown:
    """Fills blank cells of `fields` with the last value above that belongs to the same order.

    Where the number of the order is one of them (merged cells), a blank number is that of the row above.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._order = ""
        self._above: Values = {}

    def filled(self, values: Values) -> Values:
        """A row with its blank cells filled; rows must come in the order of the file."""
        if not self._fields:
            return values
        order = values.get("order", "").strip()
        if order != self._order and (order or "order" not in self._fields):
            self._order, self._above = order, {}
        for name in self._fields:
            if values.get(name, "").strip():
                self._above[name] = values[name]
        return {
            **values,
            **{name: text for name, text in self._above.items() if not values.get(name, "").strip()},
        }


class Constants:
    """Adds constants: to every row, or only to blank cells if the field has a column."""

    def __init__(self, constants: Mapping[str, str], columns: Mapping[str, str]) -> None:
        self._always = dict(constants)
        self._if_blank = {name: text for name, text in constants.items() if name in columns}

    def added(self, values: Values) -> Values:
        """A row with the constants."""
        known = self._always | values if self._always else values
        for name, text in self._if_blank.items():
            if not known[name].strip():
                known = {**known, name: text}
        return known
