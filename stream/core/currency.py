"""Currencies (ISO 4217): their codes, their decimal digits, and exact exchange into one of them.

Amounts are whole minor units everywhere: cents, yen, fils. An amount is exchanged by the constant rate of the
policy with integers alone, and rounded once, halves to even; so it is off by half a minor unit at most, and
of two amounts the larger never becomes the smaller (docs/decisions/0026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

DIGITS = 2
"""Of every currency that is not named below: 1 EUR is 100 cents."""
DIGITS_BY_CURRENCY = {
    **dict.fromkeys(("BIF", "BYR", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF
XCD XCG XOF XPF YER ZAR ZMW ZWG
ANG BGN BYR CUC CYP EEK HRK LTL LVL MRO MTL SIT SKK SLL STD VEF ZMK ZWL
"""
CODES = frozenset(_CODES.split())
"""Codes of ISO 4217 for money that people pay with; the last line is of currencies withdrawn since 2007, as
they are in histories."""
MINOR_MAX = 2**53 - 1
"""The largest amount that an event may state: the last whole number that JSON readers keep exactly."""
RATE_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,12})?$"
RATE_MIN, RATE_MAX = "0.000000000001", "1000000000"


def currency_digits(currency: str) -> int:
    """Digits after the decimal point: JPY 0, EUR 2, KWD 3; 2 for a code that is not known."""
    return DIGITS_BY_CURRENCY.get(currency, DIGITS)


class Ratio(NamedTuple):
    """Minor units of one currency for one minor unit of another: numerator / denominator, both above 0."""

    numerator: int
    denominator: int

    def of(self, minor: int) -> int:
        """The amount exchanged, halves to even. It rises with `minor`, and is off by half a unit at most."""
        whole, rest = divmod(minor * self.numerator, self.denominator)
        twice = 2 * rest
        if twice > self.denominator or (twice == self.denominator and whole & 1):
            whole += 1
        return whole


def decimal_fraction(text: str) -> tuple[int, int]:
    """A decimal number such as `0.92` as the whole numbers (92, 100); ValueError for any other text."""
    if not re.fullmatch(RATE_PATTERN, text):
        raise ValueError(f"{text!r} is no decimal number")
    whole, _, part = text.partition(".")
    return int(whole + part), int(10 ** len(part))


class Exchange:
    """The currency in which a policy counts money, and the rates of others; it never changes.

    Without a currency nothing is exchanged: each customer's money counts in its own currency.
    """

    __slots__ = ("currency", "rates", "ratios")

    def __init__(self, currency: str = "", rates: Mapping[str, str] | None = None) -> None:
        """`rates`: code -> decimal text, units of `currency` for 1 unit of the other, checked before."""
        self.currency = currency
        self.rates = tuple(sorted((rates or {}).items()))
        self.ratios = {code: _ratio(code, currency, rate) for code, rate in self.rates}

    def counted(self, minor: int, currency: str) -> tuple[int, str]:
        """An amount as it counts, and in which currency: exchanged if there is a rate, else as it is.

        An amount that would exceed MINOR_MAX is not exchanged: no number of that size can be kept.
        """
        ratio = self.ratios.get(currency)
        if ratio is None:
            return minor, currency
        exchanged = ratio.of(minor)
        return (exchanged, self.currency) if exchanged <= MINOR_MAX else (minor, currency)

    def exchanged(self, minor: int, currency: str) -> int:
        """An amount that belongs to one which was exchanged: a discount, the price of a piece."""
        ratio = self.ratios.get(currency)
        return minor if ratio is None else min(ratio.of(minor), MINOR_MAX)

    def knows(self, currency: str) -> bool:
        """Whether money of a currency counts in that of the policy; any does in its own without one."""
        return not self.currency or currency == self.currency or currency in self.ratios


def _ratio(code: str, currency: str, rate: str) -> Ratio:
    """From minor units of `code` to those of `currency`: the rate, moved by the digits of both."""
    numerator, denominator = decimal_fraction(rate)
    return Ratio(numerator * 10 ** currency_digits(currency), denominator * 10 ** currency_digits(code))


NO_EXCHANGE = Exchange()
