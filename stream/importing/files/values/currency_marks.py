"""The currency that is written beside an amount: `EUR 30.00`, `¥5000`, `178,00 EUR`, `$30.00 USD`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

CODES = (
    *("AED", "ARS", "AUD", "BDT", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP"),
    *("CZK", "DKK", "EGP", "EUR", "GBP", "GHS", "HKD", "HRK", "HUF", "IDR", "ILS", "INR"),
    *("ISK", "JOD", "JPY", "KES", "KRW", "KWD", "LKR", "MAD", "MUR", "MXN", "MYR", "NGN"),
    *("NOK", "NPR", "NZD", "OMR", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB"),
    *("SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD", "TZS", "UAH", "UGX", "USD", "UYU"),
    *("VND", "XAF", "XOF", "ZAR"),
)
DOLLARS = "USD AUD CAD NZD HKD SGD MXN CLP COP ARS TWD UYU BRL"
FITTING = {
    **{code: code for code in CODES},
    "$": DOLLARS,
    **{"US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD"},
    **{"S$": "SGD", "SG$": "SGD", "MX$": "MXN", "NT$": "TWD", "R$": "BRL", "AR$": "ARS", "CL$": "CLP"},
    **{"€": "EUR", "£": "GBP EGP", "¥": "JPY CNY", "CN¥": "CNY", "JP¥": "JPY", "₹": "INR", "₩": "KRW"},
    **{"₺": "TRY", "₽": "RUB", "₴": "UAH", "₫": "VND", "₱": "PHP", "₪": "ILS", "฿": "THB", "₦": "NGN"},
    **{"zł": "PLN", "Kč": "CZK", "Ft": "HUF", "kr": "SEK NOK DKK ISK", "kr.": "DKK SEK NOK ISK"},
    **{"Rs": "INR PKR LKR NPR MUR", "Rs.": "INR PKR LKR NPR MUR", "Fr": "CHF XOF XAF", "Fr.": "CHF XOF XAF"},
}
"""What is written -> the currencies that it can mean."""
USUAL = {"£": "GBP"}
"""A mark of several currencies that means this one where the mapping names none of them."""
CURRENCY_MARKS = rf"(?:[A-Z]{{0,2}}[$£€¥₹₩₺₽₴₫₱₪฿₦]|Rs\.?|kr\.?|zł|Kč|Ft|Fr\.?|(?:{'|'.join(CODES)}))"
"""Pattern of what may stand before or after an amount."""
_MARK = re.compile(CURRENCY_MARKS)
_PLAIN = re.compile(r"[\d.,+\- ]*", re.ASCII)


class MarkedCurrency(NamedTuple):
    """The currency beside an amount."""

    fitting: frozenset[str]
    """The currencies that the marks can mean; empty where they contradict each other or are not known."""
    meant: str
    """The only one, or the usual one; empty where it stays open, as with `$` and `¥`."""


@lru_cache(1 << 16)
def marked_currency(text: str) -> MarkedCurrency | None:
    """What the marks in the text of an amount say; None where there is none."""
    if _PLAIN.fullmatch(text):
        return None
    marks = _MARK.findall(text)
    if not marks:
        return None
    fitting = frozenset.intersection(*(frozenset(FITTING.get(mark, "").split()) for mark in marks))
    usual = next((USUAL[mark] for mark in marks if mark in USUAL), "")
    meant = next(iter(fitting)) if len(fitting) == 1 else usual if usual in fitting else ""
    return MarkedCurrency(fitting, meant)
