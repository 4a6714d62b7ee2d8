"""`2.800` is 2800 or 2.8: the whole column decides, a mapping may, and where nothing does it is said."""

import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from stream.commands.main import main
from stream.importing.files.mapping.mapping import MappingError, MoneyOptions
from stream.importing.files.suggest.suggest import suggested_mapping
from stream.importing.files.values.amounts import MarkDoubt, amount_reader
from tests.support.importing import Imported, orders

COLUMNS = """
[columns]
order = "order"
time = "time"
customer = "customer"
order_total = "total"
[constants]
currency = "{currency}"
"""


def written(folder, amounts, *, name="total"):
    path = folder / "export.csv"
    lines = [f"o{n};2025-01-{1 + n % 28:02d};c{n % 3};{amount}" for n, amount in enumerate(amounts)]
    path.write_text(f"order;time;customer;{name}\n" + "\n".join(lines) + "\n")
    return path


def paid(folder, amounts, money="", currency="EUR"):
    text = COLUMNS.format(currency=currency) + '[file]\ndelimiter = ";"\n' + money
    return Imported(text, written(folder, amounts))


def suggested(path):
    text = suggested_mapping(path, as_json=False)
    return text, Imported(text, path)


@pytest.mark.parametrize("amounts", [["2.800", "900"], ["1.234", "12.345", "999.000"], ["€2.800", "-1.000"]])
def test_whole_amounts_with_points_between_thousands_are_suggested_as_such_and_said(tmp_path, amounts):
    path = written(tmp_path, [*amounts, "40"])
    text, done = suggested(path)

    assert tomllib.loads(text)["money"]["decimal"] == ","
    assert f"{amounts[0]} is read as {amounts[0].replace('.', '')}: is it right?" in text
    assert orders(done)["o0"] % 100_000 in (80_000, 23_400)
    assert not done.rejects or amounts[1].startswith("-")


@pytest.mark.parametrize("amounts", [["2,800", "900"], ["1,234", "12,345"]])
def test_whole_amounts_with_commas_between_thousands_are_suggested_as_such_and_said(tmp_path, amounts):
    path = written(tmp_path, amounts)
    text, done = suggested(path)

    assert tomllib.loads(text)["money"]["decimal"] == "."
    assert f"{amounts[0]} is read as {amounts[0].replace(',', '')}: is it right?" in text
    assert orders(done)["o0"] == int(amounts[0].replace(",", "")) * 100


@pytest.mark.parametrize(
    ("amounts", "minor"),
    [
        (["2.800", "9.50"], 280),
        (["2.800", "0.125"], 280),
        (["2.800", "1234.567"], 280),
        (["2,800.00", "950.00"], 280_000),
        (["2.800,00", "950,00"], 280_000),
        (["2.800,5", "950"], 280_050),
        (["2.800", "950,00"], 280_000),
    ],
)
def test_an_amount_that_no_thousands_are_decides_for_all(tmp_path, amounts, minor):
    text, done = suggested(written(tmp_path, amounts))

    assert orders(done)["o0"] == minor
    assert "is it right? Else decimal" not in text


def test_a_currency_of_three_decimals_has_three_digits_after_the_point(tmp_path):
    assert orders(paid(tmp_path, ["2.800", "12.345"], currency="KWD")) == {"o0": 2_800, "o1": 12_345}
    path = written(tmp_path, ["2.800", "12.345"], name="total (KWD)")

    assert orders(suggested(path)[1]) == {"o0": 2_800, "o1": 12_345}


def test_a_mapping_that_does_not_say_is_refused_with_both_readings(tmp_path):
    with pytest.raises(MappingError) as refusal:
        paid(tmp_path, ["2.800", "900"])

    assert "every amount with a point has three digits after it, such as '2.800'" in str(refusal.value)
    assert 'decimal = "," (2800) or decimal = "." (2.800)' in str(refusal.value)


@pytest.mark.parametrize(("decimal", "minor"), [(",", 280_000), (".", 280)])
def test_a_mapping_that_says_decides(tmp_path, decimal, minor):
    done = paid(tmp_path, ["2.800", "900"], f'[money]\ndecimal = "{decimal}"\n')

    assert orders(done)["o0"] == minor
    assert bool(done.summary.mark_doubted) == (decimal == ".")


def test_what_a_mapping_decided_against_the_look_of_the_amounts_is_a_caution(tmp_path):
    path = written(tmp_path, ["2,800", "900"])
    mapping = tmp_path / "mine.toml"
    mapping.write_text(COLUMNS.format(currency="EUR") + '[file]\ndelimiter = ";"\n[money]\ndecimal = ","\n')

    answer = CliRunner().invoke(
        main, ["import", str(path), "--mapping", str(mapping), "--out", str(tmp_path / "events.jsonl")]
    )

    assert answer.exit_code == 0, answer.output
    assert "such as '2,800': are these thousands?" in answer.stderr


def test_a_quantity_is_asked_for_as_an_amount_is(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("order,time,customer,qty,price\n1,2025-01-02,a,1.234,5\n2,2025-01-03,b,2,7\n")
    text = COLUMNS.format(currency="EUR").replace(
        'order_total = "total"', 'quantity = "qty"\nunit_price = "price"'
    )

    with pytest.raises(MappingError, match=r"such as '1\.234'"):
        Imported(text, path)
    assert Imported(text + '[money]\ndecimal = ","\n', path).summary.orders_minor == {"EUR": 618_400}


@given(st.integers(1, 999), st.integers(0, 999))
def test_what_may_be_thousands_is_in_doubt_and_nothing_else_is(whole, part):
    doubt = MarkDoubt(".")
    read = amount_reader(MoneyOptions(), doubt)

    assert read(f"{whole}.{part:03d}") is not None
    assert doubt.is_open
    assert read(f"{whole}.{part:02d}") is not None
    assert doubt.is_open == (part >= 100)
