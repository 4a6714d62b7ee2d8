"""The currency beside an amount (`EUR 30.00`, `¥5000`, `$30 USD`), or in a cell of its own (`€`, `Euro`)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from stream.core.currency import CODES as ALL_CODES

CODES = (
    *("AED", "ARS", "AUD", "BDT", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP"),
    *("CZK", "DKK", "EGP", "EUR", "GBP", "GHS", "HKD", "HRK", "HUF", "IDR", "ILS", "INR"),
    *("ISK", "JOD", "JPY", "KES", "KRW", "KWD", "LKR", "MAD", "MUR", "MXN", "MYR", "NGN"),
    *("NOK", "NPR", "NZD", "OMR", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB"),
    *("SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD", "TZS", "UAH", "UGX", "USD", "UYU"),
    *("VND", "XAF", "XOF", "ZAR"),
)
"""The codes that are read beside an amount."""
DOLLARS = "USD AUD CAD NZD HKD SGD MXN CLP COP ARS TWD UYU BRL"
RUPEES, KRONER = "INR PKR LKR NPR MUR", "SEK NOK DKK ISK"
FITTING = {
    **{code: code for code in CODES},
    **{"$": DOLLARS, "＄": DOLLARS},
    **{"US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD"},
    **{"S$": "SGD", "SG$": "SGD", "MX$": "MXN", "NT$": "TWD", "R$": "BRL", "AR$": "ARS", "CL$": "CLP"},
    **{"€": "EUR", "£": "GBP EGP", "¥": "JPY CNY", "CN¥": "CNY", "JP¥": "JPY", "₹": "INR", "₩": "KRW"},
    **{"￥": "JPY CNY", "￡": "GBP EGP", "￦": "KRW", "₸": "KZT", "₼": "AZN", "₾": "GEL", "₡": "CRC"},
    **{"₺": "TRY", "₽": "RUB", "₴": "UAH", "₫": "VND", "₱": "PHP", "₪": "ILS", "฿": "THB", "₦": "NGN"},
    **{"₲": "PYG", "₵": "GHS", "₭": "LAK", "₮": "MNT", "৳": "BDT"},
    **{"zł": "PLN", "Kč": "CZK", "Ft": "HUF", "kr": KRONER, "kr.": KRONER},
    **{"Rs": RUPEES, "Rs.": RUPEES, "Fr": "CHF XOF XAF", "Fr.": "CHF XOF XAF"},
}
"""What is written -> the currencies that it can mean."""
WORDS = {
    **dict.fromkeys(("euro", "euros"), "EUR"),
    **dict.fromkeys(("dollar", "dollars"), DOLLARS),
    **dict.fromkeys(("us dollar", "us dollars", "u.s. dollar", "us-dollar"), "USD"),
    **dict.fromkeys(("pound", "pounds"), "GBP EGP"),
    **dict.fromkeys(("sterling", "pound sterling", "british pound", "stg"), "GBP"),
    **dict.fromkeys(("rmb", "renminbi", "yuan"), "CNY"),
    **dict.fromkeys(("rupee", "rupees"), RUPEES),
    **dict.fromkeys(("krone", "kroner", "krona", "kronor"), KRONER),
    **dict.fromkeys(("zloty", "złoty"), "PLN"),
    **dict.fromkeys(("real", "reais"), "BRL"),
    **{"yen": "JPY", "franken": "CHF", "swiss franc": "CHF", "ntd": "TWD"},
}
"""In a cell of its own, in small letters -> the currencies that it can mean."""
_CELLS = {mark.casefold(): codes for mark, codes in FITTING.items()} | WORDS
USUAL = {"£": "GBP", "￡": "GBP", "pound": "GBP", "pounds": "GBP"}
"""A mark of several currencies that means this one where the mapping names none of them."""
EXAMPLES = ("USD", "JPY", "SEK", "INR", "CHF")
"""Of the currencies that a mark can mean, the one that a remedy shows."""
CURRENCY_MARKS = (
    r"(?:[A-Z]{0,2}[$＄£￡€¥￥₹₩￦₺₽₴₫₱₪฿₦₸₼₾₡₲₵₭₮৳]|Rs\.?|[kK]r\.?|zł|Kč|Ft|Fr\.?|"
    rf"(?:{'|'.join(CODES)}))"
)
"""Pattern of what may stand before or after an amount."""
_MARK = re.compile(CURRENCY_MARKS)
_PLAIN = re.compile(r"[\d.,+\- ]*", re.ASCII)
_BETWEEN = re.compile(r"[\s()\[\]/,;:-]*")


class MarkedCurrency(NamedTuple):
    """The currency that a text names."""

    fitting: frozenset[str]
    """The currencies that the marks can mean; empty where they contradict each other or are not known."""
    meant: str
    """The only one, or the usual one; empty where it stays open, as with `$` and `¥`."""

    @property
    def example(self) -> str:
        """One of those that fit, for a remedy."""
        return next((code for code in EXAMPLES if code in self.fitting), min(self.fitting, default="EUR"))


class CurrencyFault(NamedTuple):
    """Why a text names no currency."""

    reason: str
    what: str
    """`'$' is written for AUD, CAD and others`."""
    example: str = "EUR"
    """A code that it might mean."""


@lru_cache(1 << 16)
def marked_currency(text: str) -> MarkedCurrency | None:
    """What the marks in the text of an amount say; None where there is none."""
    if _PLAIN.fullmatch(text):
        return None
    marks = _MARK.findall(text)
    return _marked(marks) if marks else None


def currency_cell(text: str) -> MarkedCurrency | None:
    """What a cell of its own says: a code, a word, or nothing but marks (`EUR €`); None for anything else."""
    text = text.strip()
    if text.upper() in ALL_CODES:
        return MarkedCurrency(frozenset({text.upper()}), text.upper())
    if codes := _CELLS.get(text.casefold()):
        return _meant(frozenset(codes.split()), [text.casefold()])
    marks = _MARK.findall(text)
    if not marks or not _BETWEEN.fullmatch(_MARK.sub("", text)):
        return None
    found = _marked(marks)
    return found if found.fitting else None


def named_currency(text: str, usual: str = "") -> str | CurrencyFault:
    """The ISO 4217 code that a cell or a mapping names; `usual` is the code that an open mark means here."""
    text = text.strip()
    if not text:
        return CurrencyFault("currency_missing", "")
    found = currency_cell(text)
    if found is None:
        return CurrencyFault("currency_unreadable", f"{text!r} is no code of ISO 4217")
    if usual in found.fitting:
        return usual
    if found.meant:
        return found.meant
    written = f"{text!r} is written for {', '.join(sorted(found.fitting))}"
    return CurrencyFault("currency_ambiguous", written, found.example)


def _marked(marks: list[str]) -> MarkedCurrency:
    return _meant(frozenset.intersection(*(frozenset(_fitting(mark)) for mark in marks)), marks)


def _fitting(mark: str) -> list[str]:
    return FITTING.get(mark, _CELLS.get(mark.casefold(), "") if mark[0] in "kK" else "").split()


def _meant(fitting: frozenset[str], marks: list[str]) -> MarkedCurrency:
    usual = next((USUAL[mark] for mark in marks if mark in USUAL), "")
    meant = next(iter(fitting)) if len(fitting) == 1 else usual if usual in fitting else ""
    return MarkedCurrency(fitting, meant)
