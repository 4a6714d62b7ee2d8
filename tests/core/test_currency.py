import pytest

from stream.core.currency import currency_digits


@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("XOF", 0), ("EUR", 2), ("USD", 2), ("KWD", 3), ("", 2), ("???", 2)]
)
def test_a_currency_has_the_digits_of_iso_4217(currency, digits):
    assert currency_digits(currency) == digits
