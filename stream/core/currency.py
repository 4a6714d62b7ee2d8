"""Decimal digits of currencies (ISO 4217). Amounts are whole minor units everywhere: cents, yen, fils."""

from __future__ import annotations

DIGITS = 2
"""Of every currency that is not named below: 1 EUR is 100 cents."""
DIGITS_BY_CURRENCY = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def currency_digits(currency: str) -> int:
    """Digits after the decimal point: JPY 0, EUR 2, KWD 3; 2 for a code that is not known."""
    return DIGITS_BY_CURRENCY.get(currency, DIGITS)
