"""Which lines of a file are used at all, and what lines that are refunds hold in columns of their own."""

from __future__ import annotations

from stream.importing.files.mapping.mapping import REFUND_FIELD, SKIP_FIELD, ColumnMapping
from stream.importing.files.reading.row import Values


class ChosenLines:
    """The parts `refund_columns` and `[skip]` of one mapping."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._of_refunds = [(field, REFUND_FIELD + field) for field in mapping.refund_columns]
        self._skipped = [
            (SKIP_FIELD + column, {text.strip().casefold() for text in texts})
            for column, texts in mapping.skip.items()
        ]

    def is_skipped(self, values: Values) -> bool:
        """Whether the mapping ignores this row."""
        return any(values.get(name, "").strip().casefold() in texts for name, texts in self._skipped)

    def of_refund(self, values: Values) -> Values:
        """A row that is a refund: its own columns count where they are not blank."""
        own = {field: values[name] for field, name in self._of_refunds if values.get(name, "").strip()}
        return values | own if own else values
