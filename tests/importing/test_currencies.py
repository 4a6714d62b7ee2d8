"""The currency of a line: its column is found whatever its name, symbols in it are read or refused."""

import tomllib

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.mapping.mapping import MappingError
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import HEADER, INVOICES, Imported, imported

COLUMN = INVOICES.replace('[constants]\ncurrency = "GBP"\n', "").replace(
    "[returns]", 'currency = "money"\n[returns]'
)
ROW = '1,mug,1,2020-01-01,"30.00",ann,{}\n'


def one(folder, cell, more=""):
    return imported(folder, HEADER.strip() + ",money\n" + ROW.format(cell), COLUMN + more)


def worth(done):
    return [(e["data"]["total_minor"], e["data"]["currency"]) for e in done.of("purchase.completed")]


@pytest.mark.parametrize(
    ("cell", "more", "expected"),
    [
        ("€", "", (3000, "EUR")),
        ("£", "", (3000, "GBP")),
        ("₹", "", (3000, "INR")),
        ("zł", "", (3000, "PLN")),
        ("eur", "", (3000, "EUR")),
        ("EUR €", "", (3000, "EUR")),
        ("USD ($)", "", (3000, "USD")),
        ("US$", "", (3000, "USD")),
        ("R$", "", (3000, "BRL")),
        ("Euro", "", (3000, "EUR")),
        ("RMB", "", (3000, "CNY")),
        ("KWD", "", (30000, "KWD")),
        ("$", '[values.currency]\n"$" = "AUD"\n', (3000, "AUD")),
        ("¥", '[values.currency]\n"¥" = "JPY"\n', (30, "JPY")),
        ("$", '[constants]\ncurrency = "CAD"\n', (3000, "CAD")),  # as beside an amount: whose dollars
        ("7", '[values.currency]\n"7" = "CHF"\n', (3000, "CHF")),
    ],
)
def test_a_cell_that_stands_for_one_currency_is_read(tmp_path, cell, more, expected):
    assert worth(one(tmp_path, cell, more)) == [expected]


@pytest.mark.parametrize(
    ("cell", "reason", "words"),
    [
        ("$", "currency_ambiguous", "'$' is written for ARS, AUD, BRL, CAD, CLP, COP, HKD"),
        ("¥", "currency_ambiguous", '[values.currency] "¥" = "JPY"'),
        ("kr", "currency_ambiguous", "'kr' is written for"),
        ("Rs.", "currency_ambiguous", "'Rs.' is written for"),
        ("Dollar", "currency_ambiguous", "'Dollar' is written for"),
        ("USA", "currency_unreadable", "'USA' is no code of ISO 4217"),
        ("7", "currency_unreadable", '[values.currency] "7" = "EUR"'),
        ("€ USD", "currency_unreadable", "'€ USD'"),
        ("", "currency_missing", ""),
    ],
)
def test_a_cell_that_stands_for_none_or_for_several_is_refused_with_the_remedy(tmp_path, cell, reason, words):
    (reject,) = one(tmp_path, cell).rejects

    assert reject["reason"] == reason
    assert words in reject.get("detail", "")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[constants]\ncurrency = "EURO$"\n', "m.toml, line 2: currency: 'EURO$' is no code of ISO 4217"),
        ('[constants]\ncurrency = "$"\n', "m.toml, line 2: currency: '$' is written for"),
        ('[values.currency]\n"$" = "dollars"\n', "m.toml, line 2: currency: 'dollars' is written for"),
        ('[values.currency]\n"$" = "USX"\n', "m.toml, line 2: currency: 'USX' is no code of ISO 4217"),
        ('[values.currency]\n"$" = 7\n', "m.toml, line 2: currency: '7' is no code of ISO 4217"),
    ],
)
def test_a_mapping_that_names_no_currency_is_refused_before_a_line_is_read(more, words):
    text = more + '[columns]\ncustomer = "c"\ntime = "t"\n'

    with pytest.raises(MappingError) as refused:
        parse_mapping(text, "m.toml")
    assert words in str(refused.value)
    assert "such as EUR" in str(refused.value)


def proposed(folder, text):
    path = folder / "export.csv"
    path.write_text(text, encoding="utf-8")
    return path, suggested_mapping(path, as_json=False)


def file_of(name, *cells):
    rows = [f"{n};k{n};2024-01-2{n % 8};{10 + n},50;{cell}" for n, cell in enumerate(cells, start=1)]
    return f"Bestellnummer;Kunde;Datum;Betrag;{name}\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Währung",
            "Wa\u0308hrung",
            "WÄHRUNG",
            "Whg.",
            "Whg",
            "WKZ",
            "curr",
            "Curr.",
            "CCY",
            "Currency Code",
        ),
        *(
            "Currency Symbol",
            "Presentment Currency",
            "currencyIso",
            "Valuta",
            "Waluta",
            "Symbol",
            "Devise client",
        ),
        *("Moeda", "通貨", "Feld 7", "Unit"),
    ],
)
def test_the_column_of_currencies_is_found_by_its_name_or_by_its_cells(tmp_path, name):
    path, text = proposed(tmp_path, file_of(name, "€", "£", "EUR", "CHF"))

    assert tomllib.loads(text)["columns"]["currency"] == name
    assert worth(Imported(text, path)) == [(1150, "EUR"), (1250, "GBP"), (1350, "EUR"), (1450, "CHF")]


def test_dollars_in_a_column_are_proposed_with_a_doubt(tmp_path):
    path, text = proposed(tmp_path, file_of("Whg.", "$", "€"))

    assert '[values.currency]\n"$" = "USD" # also written for ARS, AUD, BRL, CAD' in text
    assert "# '$' in 'Whg.' is written for several currencies" in text
    assert worth(Imported(text, path)) == [(1150, "USD"), (1250, "EUR")]


@pytest.mark.parametrize("mark", ["¥", "kr", "Rs."])
def test_other_marks_of_several_currencies_are_left_to_the_reader(tmp_path, mark):
    path, text = proposed(tmp_path, file_of("Whg.", mark, "€"))
    done = Imported(text, path)

    assert f'# "{mark}" = ' in text
    assert f"# '{mark}' in 'Whg.' is written for several currencies" in text
    assert worth(done) == [(1250, "EUR")]
    assert done.reasons() == [(2, "currency_ambiguous")]


def test_a_few_cells_that_are_no_currency_do_not_make_dollars_of_the_others(tmp_path):
    path, text = proposed(tmp_path, file_of("Currency", "EUR", "n/a", "EUR", "CHF"))
    done = Imported(text, path)

    assert "# 'Currency' also holds 'n/a': no currency, such lines are rejected." in text
    assert [currency for _, currency in worth(done)] == ["EUR", "EUR", "CHF"]
    assert done.reasons() == [(3, "currency_unreadable")]


def test_a_column_of_currencies_that_cannot_be_read_is_never_replaced_by_dollars(tmp_path):
    path, text = proposed(tmp_path, file_of("Currency", "1", "2", "1"))
    done = Imported(text, path)

    assert "# 'Currency' also holds '1', '2': no currency, such lines are rejected." in text
    assert worth(done) == []
    assert done.reasons() == [(line, "currency_unreadable") for line in (2, 3, 4)]


@pytest.mark.parametrize(
    "name", ["Exchange Rate", "Currency Rate", "Curr", "Unit", "Symbol", "ISO", "Country"]
)
def test_a_column_that_holds_something_else_is_no_currency(tmp_path, name):
    _, text = proposed(tmp_path, file_of(name, "1.08", "USA", "pieces"))
    mapping = tomllib.loads(text)

    assert "currency" not in mapping["columns"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("Betrag in €", "EUR"), ("Umsatz €", "EUR"), ("Betrag EUR", "EUR"), ("amount_gbp", "GBP"),
     ("Summe (zł)", "PLN"), ("Total in CHF", "CHF"), ("Total £", "GBP"), ("Amount [INR]", "INR"),
     ("Betrag", "USD")],
)  # fmt: skip
def test_the_currency_in_the_name_of_a_column_of_money_is_seen(tmp_path, name, code):
    _, text = proposed(
        tmp_path, f"Order ID;Customer;Date;{name}\n1;k1;2024-01-21;11,50\n2;k2;2024-01-22;1,50\n"
    )
    mapping = tomllib.loads(text)

    assert name in (mapping["columns"].get("order_total"), mapping["columns"].get("line_total"))
    assert mapping["constants"]["currency"] == code


@pytest.mark.parametrize("mark", ["kr", "¥", "Rs."])
def test_a_mark_of_several_currencies_beside_amounts_is_never_proposed_as_dollars(tmp_path, mark):
    _, text = proposed(
        tmp_path, f"Order ID,Customer,Date,Total\n1,k1,2024-01-21,{mark} 150\n2,k2,2024-01-22,{mark} 9\n"
    )

    assert "currency" not in tomllib.loads(text)["constants"]
    assert f"{mark!r} is written for" in text


def test_two_columns_of_currencies_are_both_told(tmp_path):
    text = "Order ID,Customer,Date,Total,Currency,Presentment Currency\n1,k1,2024-01-21,150,EUR,USD\n"
    _, text = proposed(tmp_path, text)

    assert tomllib.loads(text)["columns"]["currency"] == "Currency"
    assert "# 'Presentment Currency' holds currencies as well: are the amounts in 'Currency'?" in text


def test_an_import_says_how_much_was_paid_in_each_currency_with_its_own_decimals(tmp_path):
    (tmp_path / "m.toml").write_text(COLUMN)
    rows = "".join(
        f"{n},mug,1,2020-01-0{n},1234,ann,{code}\n" for n, code in enumerate(("EUR", "JPY", "KWD"), 1)
    )
    (tmp_path / "e.csv").write_text(HEADER.strip() + ",money\n" + rows)
    words = ["import", str(tmp_path / "e.csv"), "--mapping", str(tmp_path / "m.toml")]
    answer = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "e.jsonl")])

    assert "€1,234.00  in 1 order" in answer.output
    assert "¥1,234  in 1 order" in answer.output
    assert "1,234.000 KWD  in 1 order" in answer.output
    assert (
        "caution: orders are in 3 currencies: their money is not added or compared, unless the policy names"
        in (answer.stderr)
    )


def test_a_ready_mapping_with_a_fixed_currency_is_not_taken_for_a_file_that_says_another(tmp_path):
    names = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    line = "536365,85123A,MUG,6,2010-12-01 08:26:00,2.55,17850,Germany"
    plain = tmp_path / "plain.csv"
    plain.write_text(f"{names}\n{line}\n")
    other = tmp_path / "other.csv"
    other.write_text(f"{names},Currency\n{line},EUR\n")

    assert suggested_mapping(plain, as_json=False).startswith("# ready mapping: online-retail")
    text = suggested_mapping(other, as_json=False)
    assert "# ready mapping" not in text
    assert worth(Imported(text, other)) == [(1530, "EUR")]
