"""Texts of a row become ids, currencies and labels, or a rejection that says why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec import Struct

from stream.importing.files.currency_marks import CurrencyFault, marked_currency, named_currency
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values
from stream.importing.files.values.amounts import CACHE_SIZE, Amount, whole_number
from stream.importing.files.values.leading_zeros import ZerosDoubt, padded

ID_MAX, LABEL_MAX = 256, 256
"""Characters, as the event contract allows."""
ORDER_MAX = 100
"""Characters of an order number: event ids are made of it and of the customer id."""
UNDECODABLE = "\ufffd"
"""Stands in the text for bytes that are invalid in the encoding of the file."""
RESERVED = "\x00"
"""No id begins with it: keys of Kafka records that do are reserved for the workers."""
DIGITS = "0123456789"
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+", re.ASCII)
"""`5.41312E+11`: a spreadsheet wrote a long number, and its last digits are lost."""


OTHER_FILE = "{file}"
"""In the detail of a rejection: the path of another file."""


class LineRejection(Struct, frozen=True):
    """Why a line cannot be part of an event: a reason to count by, and what was found in the line."""

    reason: str
    detail: str = ""
    other_file: int | None = None
    """Index of the imported file that OTHER_FILE in the detail stands for."""


class LineValues:
    """Reads customers, products, currencies and labels by one mapping; texts that repeat are remembered."""

    def __init__(self, mapping: ColumnMapping, amount: Callable[[str], Amount | None]) -> None:
        """`amount` reads the text of a number."""
        self._options = mapping.customer
        self._nobody = mapping.blanks("customer")
        self._amount = amount
        self._has_currency_column = "currency" in mapping.columns
        self._default_currency = mapping.constants.get("currency", "")
        self.zeros = ZerosDoubt()
        """What the customer ids show of zeros in front that were cut."""
        cached = lru_cache(CACHE_SIZE)
        self.customer: Callable[[str], str | LineRejection] = cached(self._customer_of)
        self.product: Callable[[str | None], str | LineRejection] = cached(_product_of)
        self.label: Callable[[str], str | None] = cached(self._label_of)
        self.undecodable = ""
        """A label with bytes that are invalid in the encoding of the file, as it was read."""
        named = named_currency(self._default_currency)
        self._usual_currency = named if isinstance(named, str) else ""
        self._code: Callable[[str], str | LineRejection] = cached(self._currency_of)

    def currency_reader(self, money: Sequence[str]) -> Callable[[Values], str | LineRejection]:
        """A function from a row to its ISO 4217 code: its column, else what stands beside its amounts, else
        the constant.

        `money` names the fields with amounts. A currency beside an amount never counts as another one. An
        amount that begins and ends with a digit has none beside it.
        """
        constant = None if self._has_currency_column else self._code(self._default_currency)

        def read(values: Values) -> str | LineRejection:
            for field in money:
                text = values.get(field)
                if text and not (text[0] in DIGITS and text[-1] in DIGITS):
                    return self._currency_beside(values, money)
            return constant or self._code(values.get("currency") or self._default_currency)

        return read

    def _currency_beside(self, values: Values, money: Sequence[str]) -> str | LineRejection:
        """The currency of a row with amounts that do not begin and end with a digit."""
        code = self._code(values.get("currency") or self._default_currency)
        is_open = not self._has_currency_column or not isinstance(code, str)
        for field in money:
            text = values.get(field)
            if not text or (marked := marked_currency(text)) is None or code in marked.fitting:
                continue
            if not is_open or not marked.meant:
                if isinstance(code, LineRejection) and code.reason == "currency_ambiguous":
                    return code
                return LineRejection("currency_contradicts", _contradiction(field, text.strip(), code))
            code, is_open = marked.meant, False
        return code

    def _label_of(self, text: str) -> str | None:
        if UNDECODABLE in text:
            self.undecodable = self.undecodable or text.strip()[:LABEL_MAX]
        return text.strip()[:LABEL_MAX] or None

    def _currency_of(self, text: str) -> str | LineRejection:
        found = named_currency(text, self._usual_currency)
        if isinstance(found, CurrencyFault):
            remedy = f'; say what it means: [values.currency] "{text.strip()}" = "{found.example}"'
            return LineRejection(found.reason, found.what and found.what + remedy)
        return found

    def _customer_of(self, text: str) -> str | LineRejection:
        text = text.strip()
        if SCIENTIFIC.fullmatch(text):
            return digits_lost("customer", text)
        if self._options.whole_number and not text.isdecimal():
            number = whole_number(self._amount(text))
            text = text if number is None else str(number)
        if text.lower() in self._nobody:
            return LineRejection("customer_missing", f"{text!r} stands for nobody" if text else "")
        if self._options.lowercase:
            text = text.lower()
        text = padded(text, self._options.id_width)
        self.zeros.note(text)
        return _identifier("customer", self._options.prefix + text)


def order_fault(order: str) -> LineRejection | None:
    """Why a text cannot be an order number; None where it can."""
    if not order or len(order) > ORDER_MAX or UNDECODABLE in order or order.startswith(RESERVED):
        return _identifier_fault("order", order, ORDER_MAX)
    return digits_lost("order", order) if "+" in order and SCIENTIFIC.fullmatch(order) else None


def digits_lost(field: str, text: str) -> LineRejection:
    """The rejection of an id in scientific notation."""
    return LineRejection(
        "digits_lost",
        f"{field} is {text!r}: save the column as text before the export, then no digit is lost",
    )


def _contradiction(field: str, text: str, code: str | LineRejection) -> str:
    line = f"in a line in {code}" if isinstance(code, str) else "and no currency is named"
    return f"{field} is {text!r} {line}; map a column to currency, or name the currency in [constants]"


def _product_of(text: str | None) -> str | LineRejection:
    text = text.strip() if text else ""
    return digits_lost("product", text) if SCIENTIFIC.fullmatch(text) else _identifier("product", text)


def _identifier(field: str, text: str) -> str | LineRejection:
    is_fit = len(text) <= ID_MAX and UNDECODABLE not in text and not text.startswith(RESERVED)
    return text if is_fit else _identifier_fault(field, text, ID_MAX)


def _identifier_fault(field: str, text: str, longest: int) -> LineRejection:
    if not text:
        return LineRejection(f"{field}_missing")
    if len(text) > longest:
        return LineRejection(
            "identifier_too_long", f"{field} has {len(text)} characters, {longest} are allowed"
        )
    if text.startswith(RESERVED):
        return LineRejection("identifier_reserved", f"{field} is {text!r}, which begins with a NUL")
    return LineRejection("identifier_undecodable", f"{field} is {text!r}; check the encoding in [file]")
