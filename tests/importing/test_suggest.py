"""`--suggest` on the headers of real exports: what it finds, what it does not, and what follows from that."""

import json
import tomllib

import pytest

from stream.importing.files.mapping.mapping import MappingError
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.export_headers import (
    BIGCOMMERCE,
    DUNNHUMBY,
    HM,
    ORDER_EXPORTS,
    OTHER_EXPORTS,
    SQUARE_ITEMS,
    STRIPE,
    SUPERSTORE,
    WOO,
    ZENDESK,
)
from tests.support.importing import CASES, Imported

MONEY = ("unit_price", "line_total", "order_total")


def suggestion(folder, text, name="export.csv"):
    path = folder / name
    path.write_bytes(text.encode())
    return suggested_mapping(path, as_json=False)


def proposed(export):
    return suggested_mapping(export.path, as_json=False)


def found(text):
    mapping = tomllib.loads(text)
    columns = mapping["columns"]
    money = [columns[field] for field in MONEY if field in columns]
    return mapping["constants"] | columns | {"all_money": money}


def is_found(export):
    try:
        fields = found(proposed(export))
    except MappingError:
        return False
    money = export.expected.get("money")
    return all(
        fields.get(field) == column for field, column in export.expected.items() if field != "money"
    ) and (money is None or money in fields["all_money"])


@pytest.mark.parametrize("export", [*ORDER_EXPORTS, *OTHER_EXPORTS], ids=lambda export: export.name)
def test_customer_time_order_and_money_of_real_exports_are_found(export):
    if export is DUNNHUMBY:
        with pytest.raises(MappingError, match="no column looks like the time"):
            proposed(export)
    else:
        assert is_found(export), proposed(export)


def test_at_least_nine_in_ten_of_them_have_all_four():
    whole = [one for one in ORDER_EXPORTS if is_found(one) and one.expected.keys() >= {"order", "money"}]

    assert len(ORDER_EXPORTS) >= 20
    assert len(whole) >= 18


def test_a_proposal_imports_its_own_file_to_the_cent():
    totals = {}
    for export in (WOO, SQUARE_ITEMS, STRIPE, BIGCOMMERCE, SUPERSTORE):
        done = Imported(proposed(export), export.path)
        paid, back = done.summary.orders_minor, done.summary.refunds_minor
        totals[export.name] = (paid.total(), back.total(), len(done.rejects))

    assert list(totals.values()) == [
        *((7500, 2000, 0), (800 + 100 + 69, 679, 0), (2500 + 4500, 4500, 0), (6000, 0, 0), (27658, 0, 0)),
    ]


@pytest.mark.parametrize(
    "money",
    [
        *(
            "Order Total",
            "Grand Total",
            "Total (USD)",
            "Betrag (EUR)",
            "Summe",
            "Brutto",
            "total_price",
            "Net Sales",
        ),
        *(
            "Grand Total (Purchased)",
            "payment_value",
            "Total Amount",
            "Gross Sales",
            "Amount Paid",
            "Order Value",
        ),
        *(
            "Gesamtbetrag",
            "Sales",
            "Revenue",
            "order_amount",
            "Total Collected",
            "Item Total",
            "Bestellwert",
            "Amount",
        ),
    ],
)
def test_words_for_money_are_known(tmp_path, money):
    text = f"Order ID,Customer ID,Order Date,{money}\n1,c1,2024-01-25,10.50\n2,c2,2024-01-26,20.00\n"

    assert found(suggestion(tmp_path, text))["all_money"] == [money]


def test_a_german_order_number_and_names_of_products(tmp_path):
    text = "Bestellnummer;Kunde;Datum;Bezeichnung;Warengruppe;Betrag\n1;k;25.01.2024;Tasse;Glas;178,00 EUR\n"
    fields = found(suggestion(tmp_path, text))

    assert (fields["order"], fields["product"], fields["category"]) == (
        "Bestellnummer",
        "Bezeichnung",
        "Warengruppe",
    )
    assert fields["currency"] == "EUR"


def test_a_file_without_money_or_orders_says_what_follows(tmp_path):
    text = suggestion(tmp_path, "Customer ID,Order Date,Note\nc1,2024-01-25,12,5\nc2,2024-01-26,\n")

    assert "# No column looks like money: every order would count as 0" in text
    assert "# No column looks like the number of an order: each line counts as an order of its own." in text
    assert "# Not used: Note." in text


def test_the_decimal_comma_is_seen_although_no_column_looks_like_money(tmp_path):
    text = suggestion(tmp_path, "Kunde;Datum;Wert X\nk1;25.01.2024;12,50\nk2;26.01.2024;1.178,00\n")

    assert 'decimal = ","' in text
    assert "No column looks like money" in text


def test_a_status_with_an_unknown_word_is_left_out_and_shown(tmp_path):
    text = (
        "Order ID,Customer ID,Order Date,Total,Status\n1,c1,2024-01-25,1,Paid\n2,c2,2024-01-26,1,In limbo\n"
    )

    assert "'Status' is not used (In limbo, Paid): lines count whatever it says." in suggestion(
        tmp_path, text
    )


def test_a_refund_column_that_is_not_used_is_told(tmp_path):
    text = (
        "Order ID,Customer ID,Order Date,Total,Refund reason\n1,c1,2024-01-25,1,broken\n2,c2,2024-01-26,1,\n"
    )

    assert "'Refund reason' is not used: refunds and cancellations in it are not seen." in suggestion(
        tmp_path, text
    )


def test_a_rate_is_no_discount():
    text = proposed(SUPERSTORE)

    assert "discount" not in found(text)
    assert "'Discount' holds shares between 0 and 1" in text


def test_ids_with_lost_digits_are_told():
    text = suggested_mapping(CASES / "scientific-ids" / "orders.csv", as_json=False)

    assert "'customer_id' holds numbers like 5.41312E+11: their digits are lost" in text
    assert "x digits_lost" in text


def test_an_unquoted_file_is_seen():
    text = suggested_mapping(CASES / "quotes" / "reviews.tsv", as_json=False)

    assert tomllib.loads(text)["file"] == {"quoted": False}
    assert "Of the first 9 lines, 0 are rejected." in text


def test_title_lines_are_seen(tmp_path):
    text = suggestion(tmp_path, f"Report of January\n\n{HM.path.read_text()}")

    assert tomllib.loads(text)["file"] == {"title_lines": 2}
    assert found(text)["customer"] == "customer_id"


def test_a_separator_line_is_seen(tmp_path):
    text = suggestion(tmp_path, "sep=;\r\n" + HM.path.read_text().replace(",", ";"))

    assert "file" not in tomllib.loads(text)
    assert found(text)["customer"] == "customer_id"


def test_a_file_without_a_header_gets_names(tmp_path):
    lines = ["1001,c1,2024-01-25,2,10.50", "1002,c1,2024-02-25,1,20.00", "1002,c1,2024-02-25,1,2.00"]
    text = suggestion(tmp_path, "\n".join([*lines, "1003,c2,2024-03-01,1,3.00"]) + "\n")
    fields = found(text)

    assert tomllib.loads(text)["file"]["names"] == ["order_id", "customer_id", "date", "quantity", "amount"]
    assert (fields["customer"], fields["order"], fields["time"]) == ("customer_id", "order_id", "date")
    assert fields["all_money"] == ["amount"]
    assert "Of the first 4 lines, 0 are rejected." in text


def test_json_documents_get_a_proposal(tmp_path):
    records = [{"order_id": 1, "customer_id": "c1", "order_date": "2024-01-25", "total": 10.5}]
    text = suggestion(tmp_path, json.dumps({"orders": records}, indent=1), "orders.json")

    assert (found(text)["customer"], found(text)["all_money"]) == ("customer_id", ["total"])
    assert "Of the first 1 lines, 0 are rejected." in text


def test_guests_are_known_by_their_address():
    assert found(proposed(BIGCOMMERCE))["customer"] == "Customer ID|Customer Email"


def test_what_a_status_of_tickets_says_is_told():
    assert "'Status' is not used (Open, Solved)" in proposed(ZENDESK)


def test_a_second_header_is_told():
    path = CASES / "words-for-scores" / "survey.csv"

    assert "1 x second_header" in suggested_mapping(path, as_json=False)


def test_the_products_of_a_json_record_are_its_items(tmp_path):
    lines = [{"sku": "S", "quantity": 1, "price": "30.00"}, {"sku": "T", "quantity": 2, "price": "5.00"}]
    customer = {"id": 7, "email": "a@x.org"}
    order = {"id": 1, "customer": customer, "created_at": "2024-01-25T10:00:00-05:00", "line_items": lines}
    text = suggestion(tmp_path, json.dumps([order | {"total_price": "40.00", "currency": "USD"}]), "api.json")
    done = Imported(text, tmp_path / "api.json")

    assert found(text)["order"] == "id"
    assert [p["product_id"] for p in done.events[0]["data"]["products"]] == ["S", "T"]
    assert (done.events[0]["data"]["total_minor"], done.rejects) == (4000, [])


def test_a_french_export(tmp_path):
    text = "Facture;Client;Date facture;Montant TTC\nF1;C1;25/01/2024;1 234,50 €\nF2;C2;26/01/2024;99,90 €\n"
    fields = found(suggestion(tmp_path, text))

    assert [fields[name] for name in ("order", "customer", "time", "currency")] == [
        *("Facture", "Client", "Date facture", "EUR"),
    ]
    assert fields["all_money"] == ["Montant TTC"]


def test_a_file_with_nothing_but_its_separator_has_no_columns(tmp_path):
    with pytest.raises(MappingError, match="no column looks like the customer or time"):
        suggestion(tmp_path, "sep=;\n")


def test_names_in_any_letters_are_proposed_as_they_are(tmp_path):
    text = suggestion(
        tmp_path, "Bestellnr,Kundennummer,Datum,Größe\u007f,Umsatz €\n1,c1,2026-01-02,XL,9.90\n"
    )

    assert "\\u00" not in text.replace("\\u007f", "")
    tomllib.loads(text.partition("# The first events:")[0])


@pytest.mark.parametrize(
    ("days", "form"),
    [
        ([f"24/{n // 10 + 1:02}/{n % 28 + 1:02}" for n in range(60)], "%y/%m/%d"),
        ([f"{n % 28 + 1:02}/{n // 10 + 1:02}/24" for n in range(60)], "%d/%m/%y"),
        ([f"24.{n // 10 + 1:02}.{n % 28 + 1:02} 10:30" for n in range(60)], "%y.%m.%d %H:%M"),
    ],
)
def test_years_of_two_digits_stand_where_they_vary_least(tmp_path, days, form):
    lines = "".join(f"{n},c{n % 7},{day},9.90\n" for n, day in enumerate(days))
    text = suggestion(tmp_path, "Order,Email,Date,Total\n" + lines)

    assert tomllib.loads(text)["time"]["formats"] == [form]
    assert "every time also fits" in text


def test_the_item_price_of_amazon_is_that_of_all_pieces_less_the_promotion(tmp_path):
    path = tmp_path / "orders.tsv"
    names = "amazon-order-id purchase-date buyer-email sku quantity currency item-price shipping-price"
    cells = "902-1 2024-01-25T10:11:12+00:00 a@marketplace.amazon.com A 3 USD 30.00 4.00 5.00"
    header = "\t".join([*names.split(), "item-promotion-discount"])
    path.write_text(header + "\n" + "\t".join(cells.split()) + "\n")

    done = Imported(suggested_mapping(path, as_json=False), path)

    assert [e["data"]["total_minor"] for e in done.events] == [2900]
