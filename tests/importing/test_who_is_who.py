"""Customers: placeholders are nobody, spellings are one person, and no id is made up."""

import pytest

from tests.support.importing import CASES, HEADER, INVOICES, Imported, case, imported, orders

SHOP = """
source = "/woo"
[columns]
order = "order_number"
customer = "customer_id"
time = "order_date"
order_total = "order_total"
[constants]
currency = "EUR"
"""
PEOPLE = ["0", "guest", "Guest", "N/A", "n/a", "(not set)", "-", "null", "NaN", " ", "anonymous"]


def line(number, customer):
    return f"{number},mug,1,2020-01-0{number},2.00,{customer}\n"


@pytest.fixture
def guests(tmp_path):
    text = (CASES / "guests" / "orders.csv").read_text()
    return lambda mapping: imported(tmp_path, text, mapping)


def test_orders_of_guests_are_nobodys(guests):
    done = guests(SHOP)

    assert {reason for _, reason in done.reasons()} == {"customer_missing"}
    assert (len(done.events), len(done.rejects)) == (57, 80)
    assert done.rejects[0]["detail"] == "'0' stands for nobody"


def test_a_fallback_column_names_the_guests_line_by_line(guests):
    done = guests(SHOP.replace('"customer_id"', '"customer_id|billing_email"'))

    assert len({e["subject"] for e in done.events if "@" in e["subject"]}) == 80
    assert (len(done.events), done.rejects) == (137, [])


@pytest.mark.parametrize("text", PEOPLE)
def test_a_placeholder_is_no_customer(tmp_path, text):
    assert imported(tmp_path, HEADER + line(1, text)).reasons() == [(2, "customer_missing")]


def test_a_mapping_can_name_its_own_placeholders(tmp_path):
    mapping = INVOICES + '[customer]\nplaceholders = ["WALK-IN"]\n'
    done = imported(tmp_path, HEADER + line(1, "walk-in") + line(2, "0"), mapping)

    assert (done.reasons(), [e["subject"] for e in done.events]) == ([(2, "customer_missing")], ["0"])


def test_two_spellings_of_an_address_and_a_telephone_number():
    done = case("email-and-phone", "shopify-orders", "orders_export.csv")

    assert {e["data"]["order_id"]: e["subject"] for e in done.of("purchase.completed")} == {
        **{"#1": "pat.lee@example.com", "#2": "pat.lee@example.com"},
        **{"#3": "+8801000000001", "#4": "+8801000000001"},
    }


def test_letters_are_folded_only_when_asked(tmp_path):
    text = HEADER + line(1, "Pat@x.org") + line(2, "pat@x.org")
    plain, folded = (
        imported(tmp_path, text, INVOICES + more) for more in ("", "[customer]\nlowercase = true\n")
    )

    assert len({e["subject"] for e in plain.events}) == 2
    assert {e["subject"] for e in folded.events} == {"pat@x.org"}


def test_ids_in_scientific_notation_are_refused():
    mapping = SHOP.replace("order_number", "order_id").replace('"order_total"', '"amount"')
    path = CASES / "scientific-ids" / "orders.csv"
    done = Imported(mapping + "[customer]\nwhole_number = true\n", path)

    assert done.reasons() == [(2, "digits_lost"), (3, "digits_lost"), (4, "digits_lost")]
    assert {e["subject"] for e in done.events} == {"17850"}
    assert "as text" in done.rejects[0]["detail"]


@pytest.mark.parametrize(("order", "product"), [("4.4E+11", "mug"), ("1", "8.85E+12"), ("1", "8,85E+12")])
def test_so_are_orders_and_products(tmp_path, order, product):
    text = HEADER + f'{order},"{product}",1,2020-01-01,2.00,ann\n'

    assert imported(tmp_path, text).reasons() == [(2, "digits_lost")]


def test_merged_cells_are_filled_down():
    done = case("merged-cells", "m.toml", "orders.csv")

    assert (orders(done), done.rejects) == ({"1001": 5300, "1002": 4000}, [])


def test_a_customer_is_not_filled_into_the_next_order(tmp_path):
    text = "Order,Customer,Date,Item,Qty,Price\n1,c1,2026-03-01,a,1,1\n2,,2026-03-01,b,1,1\n,,,c,1,1\n"
    done = imported(tmp_path, text, (CASES / "merged-cells" / "m.toml").read_text())

    assert done.reasons() == [(3, "customer_missing"), (4, "customer_missing")]
