"""A column called tax that holds a rate is no amount, and said so."""

import tomllib

import pytest

from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import imported, orders


def proposal(folder, header, *rows, sign=","):
    path = folder / "export.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return suggested_mapping(path, as_json=False)


ROWS = (
    "1,a,2024-01-21,10.00,7.7",
    "2,b,2024-01-22,25.00,7.7",
    "3,a,2024-01-23,80.00,2.5",
    "4,c,2024-01-24,8.00,2.5",
)


@pytest.mark.parametrize("name", ["tax", "VAT", "MwSt", "Steuer", "iva"])
@pytest.mark.parametrize("money", ["Order Total", "Net Sales"])
def test_a_rate_of_tax_is_no_amount(tmp_path, name, money):
    text = proposal(tmp_path, f"Order ID,Customer ID,Order Date,{money},{name}", *ROWS)
    done = imported(tmp_path, (tmp_path / "export.csv").read_text(), text)

    assert "tax" not in tomllib.loads(text)["columns"]
    assert f"{name!r} is the same for orders of different worth: a rate, no amount" in text
    assert orders(done) == {"1": 1000, "2": 2500, "3": 8000, "4": 800}


@pytest.mark.parametrize(
    "rows",
    [
        ("1,a,2024-01-21,10.00,0.70", "2,b,2024-01-22,25.00,1.75", "3,a,2024-01-23,80.00,5.60"),
        ("1,a,2024-01-21,10.00,0.70", "2,b,2024-01-22,10.00,0.70", "3,a,2024-01-23,10.00,0.70"),
        ("1,a,2024-01-21,10.00,3.00", "1,a,2024-01-21,20.00,3.00", "2,a,2024-01-23,10.00,1.00"),
        ("1,a,2024-01-21,10.00,0.00", "2,a,2024-01-23,90.00,0.00"),
        ("1,a,2024-01-21,100.00,40.00", "2,a,2024-01-23,900.00,40.00"),
    ],
)
def test_amounts_of_tax_stay_amounts(tmp_path, rows):
    text = proposal(tmp_path, "Order ID,Customer ID,Order Date,Net Sales,Tax", *rows)

    assert tomllib.loads(text)["columns"]["tax"] == "Tax"
