"""Common column names, in several languages, and common time formats."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

COLUMN_PATTERNS: Mapping[str, str] = {
    "customer": r"(cust(omer)?|client|user|buyer|household|member|reviewer|kunde|cliente)"
    r"n?(id|no|number|nr|nummer|key|email|code)?|email|debitor",
    "order": r"(invoice|inv|order|basket|transaction|receipt|bill|rechnung|auftrag|beleg|facture|commande|"
    r"factura|pedido)s?(id|no|number|nr|num|nummer|key)?|documentno",
    "time": r".*(date|time|timestamp|createdat|occurredat|datum|fecha|zeit|zeitpunkt)|ts|day|created|when",
    "product": r"(stockcode|sku|asin|plu|(product|item|article|artikel|produkt|articulo)s?"
    r"(id|code|no|number|nr|nummer|key)?)",
    "name": r"(desc(ription)?|(product|item|article)(name|title|desc(ription)?)|title|bezeichnung|"
    r"artikel(name|bezeichnung|text))",
    "category": r".*(category|department|kategorie|warengruppe)",
    "quantity": r"(quantity|qty|quant|units|pieces|pcs|count|menge|anzahl|stueck|quantite|cantidad|"
    r"numberofcds|amountofitems)",
    "unit_price": r"(unit|item|net)?(price|preis|prix|precio)(perunit|each)?|(einzel|stueck)preis|unitcost",
    "line_total": r"(line|row)?(total|amount|value|sum)|(net|gross)?(amount|total)|sales(value|amount)?|"
    r"revenue|(dollar)?value|betrag|(gesamt|zeilen)(preis|betrag)|umsatz|montant|importe",
    "currency": r"(currency|waehrung|devise|moneda)(code)?",
    "rating": r"(rating|stars|overall|score|starrating)",
    "text": r"(reviewtext|reviewbody|text|comment|review|body|feedback)",
    "discount": r"discount(amount)?",
    "coupon": r"(coupon|vouchercode|discountcode)(code)?",
    "channel": r"(channel|saleschannel)",
}
"""Field -> regular expression of its usual column names, as `simplified` writes them."""
DATE_FORMATS = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
)
CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M")
TIME_FORMATS = (
    "iso",
    *(day + clock for clock in CLOCK_FORMATS for day in DATE_FORMATS),
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y"),
    *("%d-%b-%Y %H:%M", "%d %b %Y %H:%M", "%Y-%m-%d %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z"),
)
EXCEL_DAYS = (32_874, 73_050)
"""The days 1990-01-01 to 2099-12-31 as spreadsheets number them; the end is excluded."""


def simplified(name: str) -> str:
    """A column name without path, case, accents and punctuation: `Stück-Preis` is `stueckpreis`."""
    plain = name.rpartition(".")[2].lower()
    for letter, spelled in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        plain = plain.replace(letter, spelled)
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", plain))
