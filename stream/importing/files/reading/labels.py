"""What a label is worth: the words of a column become the values that the mapping names for them."""

from __future__ import annotations

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values


class Labels:
    """Replaces labels by their values: `[values.rating]` of the mapping, `"Very likely" = 10`."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._worth = {
            field: {label.strip().casefold(): _text(value) for label, value in worth.items()}
            for field, worth in mapping.values.items()
        }

    def replaced(self, values: Values) -> Values:
        """A row with the values of its labels; a text that is no label stays as it is."""
        found = {
            field: worth[label]
            for field, worth in self._worth.items()
            if (label := values.get(field, "").strip().casefold()) in worth
        }
        return values | found if found else values


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
