"""Money of one currency becomes that of another: exactly, by a constant rate, rounded once."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stream.core.currency import CODES, MINOR_MAX, Exchange, currency_digits, decimal_fraction

CURRENCIES = st.sampled_from(["JPY", "EUR", "USD", "KWD", "CLF", "VND"])
RATES = st.decimals("0.000000000001", "1000000000", allow_nan=False, places=12).map(lambda rate: f"{rate:f}")
AMOUNTS = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("currency", "rates", "paid", "counted"),
    [
        ("EUR", {"USD": "0.92"}, (10_000, "USD"), (9_200, "EUR")),
        ("USD", {"KWD": "3.25"}, (1_000, "KWD"), (325, "USD")),  # 1.000 KWD is 1000 fils and 325 cents
        ("USD", {"JPY": "0.0067"}, (1_000, "JPY"), (670, "USD")),
        ("JPY", {"USD": "149.5"}, (100, "USD"), (150, "JPY")),  # 149.5 yen: half to even
        ("JPY", {"USD": "148.5"}, (100, "USD"), (148, "JPY")),
        ("EUR", {"USD": "0.92"}, (10_000, "EUR"), (10_000, "EUR")),
        ("EUR", {"USD": "0.92"}, (10_000, "GBP"), (10_000, "GBP")),
        ("", {}, (10_000, "GBP"), (10_000, "GBP")),
        ("KWD", {"VND": "1000000"}, (MINOR_MAX, "VND"), (MINOR_MAX, "VND")),  # cannot be kept: not exchanged
    ],
)
def test_an_amount_counts_by_the_rate_and_the_digits_of_both_currencies(currency, rates, paid, counted):
    assert Exchange(currency, rates).counted(*paid) == counted


@given(CURRENCIES, CURRENCIES, RATES, AMOUNTS, AMOUNTS)
def test_an_exchange_is_monotone_and_off_by_half_a_unit_at_most(home, other, rate, one, two):
    ratio = Exchange(home, {other: rate}).ratios[other]
    exact = Fraction(one) * Fraction(rate) * Fraction(10) ** (currency_digits(home) - currency_digits(other))

    assert abs(ratio.of(one) - exact) <= Fraction(1, 2)
    assert (one <= two) <= (ratio.of(one) <= ratio.of(two))
    assert ratio.of(0) == 0


@given(CURRENCIES, CURRENCIES, RATES, AMOUNTS)
def test_an_exchange_is_that_of_decimal_arithmetic(home, other, rate, paid):
    assume(home != other)
    with localcontext(prec=60):
        major = Decimal(paid).scaleb(-currency_digits(other)) * Decimal(rate)
        expected = major.quantize(Decimal(1).scaleb(-currency_digits(home)), ROUND_HALF_EVEN)

    found, currency = Exchange(home, {other: rate}).counted(paid, other)
    if currency == home:
        assert Decimal(found).scaleb(-currency_digits(home)) == expected
    else:
        assert expected.scaleb(currency_digits(home)) > MINOR_MAX


@pytest.mark.parametrize("text", ["", "-1", "1e3", ".5", "1.", "1,5", "0x1", "½", "1" * 13, "nan"])
def test_a_rate_is_plain_decimal_text(text):
    with pytest.raises(ValueError, match="no decimal number"):
        decimal_fraction(text)


def test_every_code_is_three_capital_letters_and_has_digits():
    assert len(CODES) > 150
    assert all(len(code) == 3 and code.isupper() and currency_digits(code) in range(5) for code in CODES)


def test_an_exchange_knows_whose_money_counts():
    euros = Exchange("EUR", {"USD": "0.92"})

    assert [euros.knows(code) for code in ("EUR", "USD", "KWD")] == [True, True, False]
    assert Exchange().knows("KWD")
