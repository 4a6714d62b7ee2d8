"""Money: no currency becomes another one, and an import without money says so."""

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from tests.support.importing import HEADER, INVOICES, imported, orders

EUROS = INVOICES.replace("GBP", "EUR")
OPEN = INVOICES.replace('[constants]\ncurrency = "GBP"\n', "")
COLUMN = OPEN.replace("[returns]", 'currency = "money"\n[returns]')


def one(folder, price, mapping, money=""):
    header, cell = (HEADER.strip() + ",money\n", f",{money}") if money else (HEADER, "")
    return imported(folder, header + f'1,mug,1,2020-01-01,"{price}",ann{cell}\n', mapping)


def worth(done):
    return [(e["data"]["total_minor"], e["data"]["currency"]) for e in done.events]


@pytest.mark.parametrize(
    ("price", "mapping", "expected"),
    [
        ("EUR 30.00", INVOICES, (3000, "EUR")),  # what stands beside the amount is surer than the constant
        ("30.00 €", INVOICES, (3000, "EUR")),
        ("£30.00", INVOICES, (3000, "GBP")),
        ("£30.00", EUROS, (3000, "GBP")),
        ("£30.00", INVOICES.replace("GBP", "EGP"), (3000, "EGP")),
        ("$30.00", INVOICES.replace("GBP", "CAD"), (3000, "CAD")),
        ("US$30.00", INVOICES.replace("GBP", "CAD"), (3000, "USD")),
        ("$30.00 USD", EUROS, (3000, "USD")),
        ("¥5000", INVOICES.replace("GBP", "JPY"), (5000, "JPY")),
        ("¥5000", INVOICES.replace("GBP", "CNY"), (500000, "CNY")),
        ("₹1,00,000.00", EUROS, (10000000, "INR")),
        ("KWD 1.500", EUROS, (1500, "KWD")),
        ("30.00", EUROS, (3000, "EUR")),
        ("€30.00", OPEN, (3000, "EUR")),
    ],
)
def test_a_currency_beside_the_amount_is_read(tmp_path, price, mapping, expected):
    assert worth(one(tmp_path, price, mapping)) == [expected]


@pytest.mark.parametrize(
    ("price", "mapping", "money", "reason"),
    [
        ("$30.00", EUROS, "", "currency_contradicts"),  # whose dollars?
        ("¥5000", INVOICES, "", "currency_contradicts"),
        ("$30.00", OPEN, "", "currency_contradicts"),
        ("EUR 30.00", COLUMN, "USD", "currency_contradicts"),
        ("€30.00 GBP", EUROS, "", "currency_contradicts"),
        ("30.00", OPEN, "", "currency_missing"),
        ("XQ 30.00", EUROS, "", "price_unreadable"),
    ],
)
def test_a_currency_that_stays_open_or_contradicts_is_refused(tmp_path, price, mapping, money, reason):
    assert one(tmp_path, price, mapping, money).reasons() == [(2, reason)]


def test_two_currencies_in_one_column_stay_apart(tmp_path):
    text = HEADER + "1,mug,1,2020-01-01,EUR 10.00,ann\n2,mug,1,2020-01-02,USD 20.00,bob\n"

    assert worth(imported(tmp_path, text)) == [(1000, "EUR"), (2000, "USD")]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.csv").write_text(
        HEADER + "".join(f"{n},mug,1,2020-01-01,2.00,ann\n" for n in range(1, 31))
    )
    return tmp_path


def run(mapping, *arguments):
    with open("m.toml", "w", encoding="utf-8") as file:
        file.write(mapping)
    return CliRunner().invoke(
        main, ["import", "shop.csv", "--mapping", "m.toml", "--out", "e.jsonl", *arguments]
    )


@pytest.mark.parametrize(
    ("mapping", "caution"),
    [
        (INVOICES.replace('unit_price = "price"\n', ""), "no column holds money: every order counts as 0"),
        (INVOICES.replace('"price"', '"invoice"').replace("unit_price", "tax"), "no column holds money"),
        (INVOICES.replace('order = "invoice"\n', ""), "each line counts as an order of its own"),
        (INVOICES.replace("product =", "category ="), "neither product nor name"),
    ],
)
def test_an_import_says_what_its_mapping_leaves_out(shop, mapping, caution):
    answer = run(mapping)

    assert answer.exit_code == 0, answer.output
    assert "caution: " in answer.stderr
    assert caution in answer.stderr


def test_an_import_of_orders_that_are_all_worth_nothing_says_so(shop):
    (shop / "shop.csv").write_text(HEADER + "1,mug,1,2020-01-01,0.00,ann\n")

    assert "every order in these files is worth 0" in run(INVOICES).stderr
    assert run(INVOICES).stderr.count("caution") == 1


def test_products_without_a_column_of_ids_are_known_by_their_names(tmp_path):
    text = HEADER + "1,mug,1,2020-01-01,2.00,ann\n"
    done = imported(tmp_path, text, INVOICES.replace("product =", "name ="))

    assert [p["product_id"] for p in done.events[0]["data"]["products"]] == ["mug"]
    assert orders(done) == {"1": 200}


@pytest.mark.parametrize(
    ("wrong", "options", "code"), [(1, [], 0), (3, [], 1), (3, ["--rejects-max", "0.2"], 0)]
)
def test_more_than_a_share_of_rejected_lines_is_a_failure(shop, wrong, options, code):
    lines = (shop / "shop.csv").read_text().splitlines()
    lines[1 : 1 + wrong] = [line.replace("2.00", "?") for line in lines[1 : 1 + wrong]]
    (shop / "shop.csv").write_text("\n".join(lines) + "\n\n\n\n")  # blank lines hold no data
    answer = run(INVOICES, *options)

    assert answer.exit_code == code, answer.output
    assert ("more than 5.0% (--rejects-max)" in answer.stderr) == bool(code)


def test_nothing_is_sent_where_too_many_lines_are_rejected(shop, mock_broker):
    (shop / "shop.csv").write_text(HEADER + "1,mug,1,2020-01-01,?,ann\n2,mug,1,2020-01-01,2.00,ann\n")
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": mock_broker.bootstrap})
    for topic in ("purchases", "engagement", "feedback", "control"):
        producer.list_topics(f"customers.{topic}.v1", timeout=10)
    (shop / "m.toml").write_text(INVOICES)
    arguments = ["import", "shop.csv", "--mapping", "m.toml", "--to-kafka"]
    answer = CliRunner().invoke(main, arguments, env={"STREAM_BROKERS": mock_broker.bootstrap})

    assert answer.exit_code == 1
    assert (
        "50.0% of the lines are rejected (1 x price_unreadable): see shop.rejects.jsonl; nothing was sent"
        in answer.output
    )


def test_the_help_shows_the_options_for_files():
    answer = CliRunner().invoke(main, ["import", "--help"]).output

    for option in ("--mapping", "--suggest", "--to-kafka", "--rejects-max", "completejourney"):
        assert option in answer
