"""`--suggest` on the words of shops in seven languages, and on columns that only their cells make known."""

import tomllib

import pytest

from stream.importing.files.mapping.mapping import MappingError
from stream.importing.files.suggest.column_names import simplified
from stream.importing.files.suggest.suggest import suggested_mapping

MONEY = ("unit_price", "line_total", "order_total")
CELLS = {
    "customer": lambda number: f"K{number % 7}",
    "mail": lambda number: f"p{number % 7}@x.org",
    "time": lambda number: f"{1 + number % 28:02d}.{1 + number % 12:02d}.2025 14:22",
    "order": lambda number: f"R-{10_000 + number}",
    "money": lambda number: f"{20 + number},{number % 90 + 10}",
    "text": lambda number: "DHL",
}
"""What stands in the cells of a column, by what the column is."""
SHOPS = {
    "Shopware, German": "Bestellnummer=order;Bestelldatum=time;Kunden-Nr.=customer;Gesamtbetrag=money",
    "Shopware, English": "orderNumber=order;orderDateTime=time;orderCustomer.email=mail;amountTotal=money",
    "JTL, orders": "Auftragsnummer=order;Erstelldatum=time;Kundennummer=customer;Betrag brutto=money",
    "JTL, invoices": "Rechnungsnr.=order;Rechnungsdatum=time;Kd.-Nr.=customer;Rechnungssumme (brutto)=money",
    "till, German": "Beleg-Nr.=order;Kaufdatum=time;Kunde=customer;Umsatz=money",
    "accounts, German": "Vorgangsnummer=order;Buchungsdatum=time;Debitor=customer;Summe=money",
    "PrestaShop, French": "Référence=order;Date=time;Client=customer;Total=money;Paiement=text",
    "WooCommerce, French": "N° de commande=order;Date de la commande=time;E-mail (facturation)=mail;"
    "Montant total de la commande=money",
    "PrestaShop, Spanish": "Referencia=order;Fecha=time;Cliente=customer;Total=money;Pago=text",
    "WooCommerce, Spanish": "Número de pedido=order;Fecha del pedido=time;"
    "Correo electrónico (facturación)=mail;Importe total del pedido=money",
    "WooCommerce, Portuguese": "Número do pedido=order;Data do pedido=time;E-mail do cliente=mail;"
    "Valor total do pedido=money",
    "shop, Portuguese": "Pedido=order;Data da compra=time;Código do cliente=customer;Valor pago=money",
    "PrestaShop, Italian": "Riferimento=order;Data=time;Cliente=customer;Totale=money;Pagamento=text",
    "WooCommerce, Italian": "Numero ordine=order;Data ordine=time;Email (fatturazione)=mail;"
    "Totale ordine=money",
    "WooCommerce, Dutch": "Bestelnummer=order;Besteldatum=time;E-mailadres=mail;Totaalbedrag=money",
    "shop, Dutch": "Ordernummer=order;Orderdatum=time;Klantnummer=customer;Bedrag incl. btw=money",
    "own, Placed At": "Order=order;Placed At=time;Customer=customer;Total=money",
    "own, Paid at": "Order Ref=order;Paid at=time;Client No=customer;Grand Total=money",
    "own, orderedat": "order_no=order;orderedat=time;client=customer;order_value=money",
    "own, Purchased On": "Order ID=order;Purchased On=time;Buyer=customer;Amount Paid=money",
}


def written(folder, columns):
    """A file with these columns, `name=kind` each, and thirty lines."""
    named = [column.rpartition("=")[::2] for column in columns.split(";")]
    lines = [";".join(name for name, _ in named)]
    lines += [";".join(CELLS[kind](number) for _, kind in named) for number in range(30)]
    path = folder / "export.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path, named


def proposed(path):
    return tomllib.loads(suggested_mapping(path, as_json=False))


@pytest.mark.parametrize("shop", SHOPS)
def test_customer_time_order_and_money_are_found_in_the_words_of_six_languages(tmp_path, shop):
    path, named = written(tmp_path, SHOPS[shop])
    columns = proposed(path)["columns"]
    wanted = {("customer" if kind == "mail" else kind): name for name, kind in named if kind != "text"}
    money = [columns[field] for field in MONEY if field in columns]

    assert (columns["customer"], columns["time"], columns.get("order")) == (
        wanted["customer"],
        wanted["time"],
        wanted["order"],
    )
    assert wanted["money"] in money


def test_a_column_whose_cells_are_times_is_the_time_where_no_name_fits(tmp_path):
    path, _ = written(tmp_path, "Ref=order;Wann=time;Kunde=customer;Total=money")
    text = suggested_mapping(path, as_json=False)

    assert tomllib.loads(text)["columns"]["time"] == "Wann"
    assert "# 'Wann' is taken as the time for its cells, not for its name: is it right?" in text


def test_a_column_of_addresses_is_the_customer_where_no_name_fits(tmp_path):
    path, _ = written(tmp_path, "Ref=order;Datum=time;Wer=mail;Total=money")
    text = suggested_mapping(path, as_json=False)

    assert tomllib.loads(text)["columns"]["customer"] == "Wer"
    assert "# 'Wer' is taken as the customer for its cells, not for its name: is it right?" in text


@pytest.mark.parametrize("name", ["Date of birth", "Geburtsdatum", "Lieferdatum", "shipped_at", "Updated At"])
def test_a_date_of_something_else_is_never_taken_as_the_time(tmp_path, name):
    path, _ = written(tmp_path, f"Ref=order;{name}=time;Kunde=customer;Total=money")

    with pytest.raises(MappingError, match="no column looks like the time"):
        suggested_mapping(path, as_json=False)


def test_long_numbers_are_not_taken_as_times_by_their_cells(tmp_path):
    path = tmp_path / "export.csv"
    lines = [f"{1_600_000_000 + number},c{number % 3},9.9{number % 9}" for number in range(20)]
    path.write_text("phone_no,customer,total\n" + "\n".join(lines) + "\n")

    with pytest.raises(MappingError, match="no column looks like the time"):
        suggested_mapping(path, as_json=False)


@pytest.mark.parametrize("name", ["Items", "Products", "Artikel", "Total items", "No. of items", "Aantal"])
def test_a_column_of_small_whole_numbers_is_a_quantity_not_a_product(tmp_path, name):
    path = tmp_path / "export.csv"
    lines = [f"o{n},2025-01-{1 + n % 28:02d},c{n % 7},{1 + n % 4},{30 + n}.50" for n in range(30)]
    path.write_text(f"order,date,customer,{name},total\n" + "\n".join(lines) + "\n")
    columns = proposed(path)["columns"]

    assert columns["quantity"] == name
    assert not {"product", "name"} & columns.keys()


def test_a_column_of_product_numbers_stays_the_product(tmp_path):
    path = tmp_path / "export.csv"
    lines = [f"o{n},2025-01-{1 + n % 28:02d},c{n % 7},{1 + n % 4},2,{30 + n}.50" for n in range(30)]
    path.write_text("order,date,customer,product id,quantity,total\n" + "\n".join(lines) + "\n")

    assert proposed(path)["columns"]["product"] == "product id"


@pytest.mark.parametrize(
    ("name", "plain"),
    [("Kd.-Nr.", "kdnr"), ("order.customer.id", "id"), ("Bedrag incl. btw", "bedraginclbtw"), ("Nr.", "nr")],
)
def test_a_point_is_a_path_only_between_words_of_it(name, plain):
    assert simplified(name) == plain


@pytest.mark.parametrize(
    "cell",
    [
        "03.11.2025 14:22 Uhr",
        "03.11.2025, 14:22 Uhr",
        "13.11.2025, 14:22:05",
        "11/13/2025, 2:22:05 PM",
        "13/11/2025, 14:22:05",
        "Nov 13, 2025, 2:22 PM",
        "13 Nov 2025, 14:22",
        "Thu, 13 Nov 2025 14:22:05",
        "13 November 2025 14:22",
        "November 13, 2025 2:22 pm",
    ],
)
def test_times_as_shops_write_them_are_read(tmp_path, cell):
    path = tmp_path / "export.csv"
    path.write_text("Order;Time;Customer;Total\n" + f'1;"{cell}";c1;9.90\n2;"{cell}";c2;8.80\n')
    text = suggested_mapping(path, as_json=False)

    assert "0 are rejected" in text
    assert "2025-11-" in text


@pytest.mark.parametrize(
    "column",
    [
        "Customer Mobile",
        "Mobile",
        "Mobile No",
        "Contact No",
        "WhatsApp",
        "CPF",
        "Celular",
        "Loyalty Card",
        "Handynummer",
    ],
)
def test_what_tells_two_people_of_one_name_apart_is_the_customer(tmp_path, column):
    path = tmp_path / "export.csv"
    lines = "".join(f"{n},Amit Shah,9198{n % 9:08},2024-05-{n + 1:02},9.90\n" for n in range(20))
    path.write_text(f"Order,Customer Name,{column},Date,Total\n{lines}", encoding="utf-8")

    assert tomllib.loads(suggested_mapping(path, as_json=False))["columns"]["customer"] == column


STATUSES = {
    "WooCommerce, Portuguese; Status do pedido": "Concluído=paid;Processando=paid;Cancelado=cancelled;"
    "Reembolsado=refunded;Pagamento pendente=open;Aguardando=open;Malsucedido=open",
    "WooCommerce, German; Bestellstatus": "Fertiggestellt=paid;In Bearbeitung=paid;Storniert=cancelled;"
    "Rückerstattet=refunded;Zahlung ausstehend=open;In Wartestellung=open;Fehlgeschlagen=open",
    "WooCommerce, Spanish; Estado del pedido": "Completado=paid;Procesando=paid;Cancelado=cancelled;"
    "Reembolsado=refunded;Pendiente de pago=open;En espera=open;Fallido=open",
    "WooCommerce, Italian; Stato dell'ordine": "Completato=paid;In lavorazione=paid;Annullato=cancelled;"
    "Rimborsato=refunded;In attesa di pagamento=open;In sospeso=open;Fallito=open",
    "WooCommerce, Dutch; Status van de bestelling": "Afgerond=paid;In behandeling=paid;Geannuleerd=cancelled;"
    "Terugbetaald=refunded;Wacht op betaling=open;In de wacht=open;Mislukt=open",
    "WooCommerce, French; État de la commande": "Terminée=paid;En cours=paid;Annulée=cancelled;"
    "Remboursée=refunded;Attente paiement=open;En attente=open;Échouée=open",
    "PrestaShop, French; État": "Paiement accepté=paid;En cours de préparation=paid;Livré=paid;"
    "Annulé=cancelled;Remboursé=refunded;En attente du paiement par chèque=open;Erreur de paiement=open",
    "Shopware 5, German; Bestellstatus": "Komplett abgeschlossen=paid;Zur Lieferung bereit=paid;"
    "Teilweise ausgeliefert=paid;Storniert / Abgelehnt=cancelled;Offen=open",
    "Shopware 5, German; Zahlungsstatus": "Komplett bezahlt=paid;Wiedergutschrift=refunded;Offen=open;"
    "1. Mahnung=open",
    "Lightspeed, Dutch; Status": "Afgehandeld, verzonden=paid;Geannuleerd=cancelled;Niet betaald=open",
}
"""Shop and name of the column -> its words with what they mean."""
MEANT = {
    "paid": "purchase.completed",
    "refunded": "purchase.completed",
    "cancelled": "purchase.cancelled",
    "open": "ignore",
}


@pytest.mark.parametrize("shop", STATUSES)
def test_statuses_are_known_in_the_words_of_the_shop(tmp_path, shop):
    words = dict(pair.rsplit("=", 1) for pair in STATUSES[shop].split(";"))
    column = shop.partition("; ")[2]
    lines = [f"order\tcustomer\tdate\ttotal\t{column}"]
    lines += [f"{n}\tc{n}\t2025-01-{n + 1:02d}\t10.00\t{word}" for n, word in enumerate(words)]
    path = tmp_path / "export.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    mapping = proposed(path)

    assert mapping["columns"]["event"] == column
    assert mapping["events"] == {word: MEANT[meaning] for word, meaning in words.items()}
    refunded = [word for word, meaning in words.items() if meaning == "refunded"]
    assert mapping.get("returns", {}).get("whole_orders", []) == refunded
