from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.importing.files.mapping.mapping import MoneyOptions, TimeOptions
from stream.importing.files.values.amounts import amount_reader, product, rounded_to_minor, whole_number
from stream.importing.files.values.instants import instant_reader
from tests.support.narrow import not_none

READ = amount_reader(MoneyOptions())


def new_year(year):
    return datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def ms(year, month, day, hour=0, minute=0, second=0):
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1_000)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_any_decimal_text_is_read_exactly(number):
    digits, scale = not_none(READ(str(number)))

    assert Decimal(digits).scaleb(-scale) == number


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6),
    st.integers(1, 10_000),
)
def test_minor_units_agree_with_decimal_arithmetic(price, pieces):
    minor, added = rounded_to_minor(product(not_none(READ(str(price))), (pieces, 0)), 2)
    exact = price * pieces * 100

    assert minor == exact.quantize(Decimal(1), ROUND_HALF_UP)
    assert Decimal(added) / 10**9 == minor - exact


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,234.50", (12345, 1)),
        ("£3.50", (35, 1)),
        (".5", (5, 1)),
        ("-0.00", (0, 0)),
        ("1e-05", (1, 5)),
        ("2E+2", (200, 0)),
        ("", None),
        ("-", None),
        ("n/a", None),
        ("1.2.3", None),
        ("NaN", None),
        ("Infinity", None),
        ("٣", None),
        ("2,55", None),  # no thousands: a decimal comma that the mapping does not name
        ("12,34,567.50", (123456750 // 10, 1)),
        ("1 234.50", (12345, 1)),
        ("1'234.50", (12345, 1)),
        ("EUR 3.50", (35, 1)),
        ("3.50 €", (35, 1)),
        ("-£3.50", (-35, 1)),
        ("£-3.50", (-35, 1)),
        ("(3.50)", (-35, 1)),
        ("3.50-", (-35, 1)),
        ("−3.50", (-35, 1)),
        ("20.-", (20, 0)),  # Swiss: no rappen, and no minus
        ("CHF 20.–", (20, 0)),
        ("20.--", (20, 0)),
        ("1'200.- CHF", (1200, 0)),
        ("-20.-", (-20, 0)),
        ("20-", (-20, 0)),
        ("20.00-", (-20, 0)),
        ("500/-", (500, 0)),  # Indian: no paise
        ("₹ 1,500/-", (1500, 0)),
        ("20.-5", None),
        ("(-3.50)", None),
        ("(3.50", None),
        ("1,23.50", None),
        ("N/A5", None),
        ("3.50 MIL", None),
    ],
)
def test_amounts_as_people_write_them(text, amount):
    assert READ(text) == amount


@pytest.mark.parametrize("text", ["20,-", "20,--", "20,– €", "€ 20,—"])
def test_a_dash_after_a_decimal_comma_stands_for_no_cents(text):
    assert amount_reader(MoneyOptions(decimal=","))(text) == (20, 0)


def test_a_decimal_comma_turns_the_point_into_a_thousands_mark():
    assert amount_reader(MoneyOptions(decimal=","))("1.234,56") == (123456, 2)


def test_only_whole_quantities_are_whole():
    assert [whole_number(READ(text)) for text in ("3", "3.0", "-2", "1.5")] == [3, 3, -2, None]
    assert whole_number(None) is None


@pytest.mark.parametrize(
    ("form", "text", "at"),
    [
        ("iso", "2011-07-01 12:00:00", ms(2011, 7, 1, 11)),
        ("iso", "2011-07-01T12:00:00Z", ms(2011, 7, 1, 12)),
        ("%m/%d/%Y %H:%M", "12/1/2010 8:26", ms(2010, 12, 1, 8, 26)),
        ("unix_s", "1529193600", ms(2018, 6, 17)),
        ("unix_ms", "1529193600250", ms(2018, 6, 17) + 250),
        ("unix_us", "1529193600250999", ms(2018, 6, 17) + 250),
        ("%Y-%m-%d %H:%M:%S %z", "2023-05-01 10:11:12 -0400", ms(2023, 5, 1, 14, 11, 12)),
        ("%d/%m/%y %H:%M:%S", "2/1/11 8:26:05", ms(2011, 1, 2, 8, 26, 5)),
        ("%d-%b-%Y", "05-Jul-2011", ms(2011, 7, 4, 23)),
        ("%m/%d/%Y %I:%M %p", "12/1/2010 8:26 PM", ms(2010, 12, 1, 20, 26)),
        ("%d.%m.%Y", "31.04.2010", None),
        ("excel", "40513.351388888892", ms(2010, 12, 1, 8, 26)),
        ("excel", "40725", ms(2011, 6, 30, 23)),
        ("excel", "2010", None),
        ("iso", "2011-03-27 00:59:00", ms(2011, 3, 27, 0, 59)),  # the clocks of London go on at 1:00
        ("iso", "2011-03-27 02:00:00", ms(2011, 3, 27, 1)),
        ("iso", "1969-12-31", None),
        ("iso", "yesterday", None),
        ("unix_s", "1e9", None),
    ],
)
def test_times_become_utc_by_the_mappings_zone(form, text, at):
    assert instant_reader(TimeOptions(formats=(form,), zone="Europe/London"))(text) == at


@given(st.datetimes(new_year(1990), new_year(2099)), st.sampled_from(["", " %H:%M", " %H:%M:%S"]))
def test_formats_of_numbers_are_read_as_strptime_reads_them(at, clock):
    for form in ("%d/%m/%Y" + clock, "%m-%d-%y" + clock, "%Y%m%d" + clock):
        text = at.strftime(form)
        known = datetime.strptime(text, form).replace(tzinfo=UTC)

        read = instant_reader(TimeOptions(formats=(form,)))(text)
        assert read == (ms(*known.timetuple()[:6]) if known.year >= 1990 else None)


def test_the_first_format_that_fits_wins():
    read = instant_reader(TimeOptions(formats=("iso", "%d/%m/%Y")))

    assert read("02/03/2020") == ms(2020, 3, 2)
    assert read("2020-03-02") == ms(2020, 3, 2)
