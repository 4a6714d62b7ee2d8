"""Common column names of exports, in several languages, and common time formats."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from stream.importing.files.currency_marks import CODES, CURRENCY_MARKS

ID = r"(id|no|number|nr|num|nummer|key|code|ref|reference|hash)"
COLUMN_PATTERNS: Mapping[str, Sequence[str]] = {
    "customer": (
        r"cust(omer)?unique(id)?|buyeruserid",
        rf"(cust(omer)?|client|user|buyer|shopper|household|member|reviewer|kunden?|cliente|person|requester)n?{ID}",
        r"(cust(omer)?|client|user|buyer|shopper|household|member|reviewer|kunde|cliente|debitor|visitorid|userpseudoid)",
        r"(cust(omer)?|client|user|buyer|contact|purchase|purchaser|payer|from|person|requester|recipient)?"
        r"e?mail(address|adresse|billing)?|billingemail|buyerusername",
        r"(customer|buyer|billing|contact)?(phone|telefon)(number|billing)?",
        r"(customer|buyer|billto|full|kunden)name",
    ),
    "order": (
        rf"(amazon)?(order|bestell|auftrags?|pedido|commande|purchase){ID}(del)?|numero(de)?pedido|documentno|order|pedido",
        rf"(invoice|inv|rechnungs?|beleg|receipt|bill|basket|facture|factura|incrementid|checkout)s?{ID}?",
        rf"(transaction|payment|session|sale){ID}?|salesrecordnumber",
    ),
    "time": (
        r"(order|purchase|sale|invoice|transaction|bestell|rechnungs|auftrags|kauf|event|review)s?"
        r"(purchase)?(date|datum|time|timestamp|datetime|at)(s?)|purchasedon|createdat|created(date)?(utc)?|"
        r"datecreated|orderpurchasetimestamp|saledate|tdat|enddate|completedat",
        r"date|datum|fecha|data|time|timestamp|datetime|ts|day|when|zeit|zeitpunkt|(date|time)utc|dateadded",
        r"(?!.*(ship|deliver|updat|birth|estimat|due|expir|modif|cancel|sent|start)).*(date|time|timestamp|"
        r"createdat|occurredat|datum|fecha|zeit|zeitpunkt)|"
        r"(?!.*(livraison|naissance|entrega|nacimiento|geburt|liefer))(date|fecha|data)(de|da)?[a-z]*",
    ),
    "product": (
        r"(lineitem)?sku|stockcode|asin|plu|(product|item|article|artikel|produkt|articulo|produto)s?"
        + ID
        + r"?|listingid",
    ),
    "name": (
        r"(lineitem|product|item|article|sku|artikel|produkt|produto)(name|title|desc(ription)?|bezeichnung|text)",
        r"desc(ription)?|title|bezeichnung|product|item|produto",
    ),
    "category": (r"(?!.*id$).*(category(code|name)?|department|kategorie|warengruppe|categoria)",),
    "brand": (r"brand|marke|vendor|manufacturer|hersteller",),
    "quantity": (
        r"(lineitem)?(quantity|qty|quant|menge|anzahl|stueck|stueckzahl|quantite|cantidad|quantidade)"
        r"(purchased|ordered|sold|refund)?|units|pieces|pcs|count|numberofcds|amountofitems",
    ),
    "unit_price": (
        r"(unit|item|net|lineitem|product)?(price|preis|prix|precio|cost)(perunit|each|unit)?|"
        r"(einzel|stueck)preis|(valor|preco)unitario|soldfor",
    ),
    "line_total": (
        r"(line|row|lineitem|item)(total|amount|value|sum)|netsales?|extendedprice|gesamtpreis|zeilenpreis",
        r"(gross)?sales?(value|amount)?|revenue|umsatz|importe|grossrevenue",
    ),
    "order_total": (
        r"(order|grand)total(amount|inctax|purchased)?",
        r"(order|grand|invoice|cart|purchase|basket)(total|value|amount)(amount|price|inctax|paid|purchased)?|"
        r"grandtotal(purchased|base)|total(price|paid|collected|amount|due)|amountpaid|paymentvalue|"
        r"paymentamount|gesamtbetrag|rechnungsbetrag|endbetrag|bestellwert|valortotal|totalttc|saleprice",
        r"(net|gross)?(amount|total)|value|dollarvalue|betrag|summe|brutto|gross|gesamt|montant(ttc)?|sum|price",
    ),
    "tax": (
        r"(order|item|sales|total|ordersales)?tax(es)?(amount|value|total)?|ordertotaltaxamount|mwst|ust|steuer|vat",
    ),
    "shipping": (
        r"(order)?(shipping|freight|versand|porto|postage)(price|cost|amount|value|total|kosten|andhandling)?|"
        r"ordershippingamount|shippingandhandlingamount",
    ),
    "discount": (r"(order|cart|total|item)?discounts?(amount|value|total)?|cartdiscountamount|rabatt",),
    "refunded": (
        r"(amount|total|payment)?refund(ed)?(amount|total|value)?|orderrefundamount|amountrefunded|totalrefunded|"
        r"erstattung|partialrefunds?",
    ),
    "coupon": (r"(coupon|vouchercode|discountcode|gutschein)(codes?)?",),
    "payment_method": (r"payment(method(title)?|type)|zahlungsart|zahlart",),
    "channel": (r"(sales)?channel|salechannel|saleschannelid|purchasepoint|vertriebskanal",),
    "campaign_name": (r"(utm)?campaign(name)?",),
    "rating": (r"(star)?rating|stars|overall|score|npsscore|nps|bewertung|sterne|.*howlikely.*recommend.*",),
    "text": (
        r"(review)?(text|body|comments?|content)|review|feedback|comment(title)?|kommentar|.*whatcouldwedo.*",
    ),
    "review": (r"(review|response|respondent|answer)id",),
    "ticket": (r"(ticket|case)" + ID,),
    "topic": (r"subject|topic|betreff",),
}
"""Field -> regular expressions of its usual column names as `simplified` writes them, the surest first."""
SEPARATE_CLOCK = r"(order|sale|purchase|transaction)?(time|uhrzeit|hora|zeit)(oftransaction|utctimezone)?"
SEPARATE_ZONE = r"time ?zone"
MONEY_FIELDS = ("unit_price", "line_total", "order_total")
AMOUNT_FIELDS = (*MONEY_FIELDS, "tax", "shipping", "discount", "refunded")
DATE_FORMATS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y"),
)
CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M")
TIME_FORMATS = (
    "iso",
    *(day + clock for clock in CLOCK_FORMATS for day in DATE_FORMATS),
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y"),
    *("%d-%b-%Y %H:%M", "%d %b %Y %H:%M", "%Y-%m-%d %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z"),
    *("%b-%d-%y", "%b %d, %Y %I:%M:%S %p", "%b %d, %Y %H:%M", "%B %d, %Y", "%d %B %Y"),
)
EXCEL_DAYS = (32_874, 73_050)
"""The days 1990-01-01 to 2099-12-31 as spreadsheets number them; the end is excluded."""
CURRENCY_NAMES = (
    r"(payment|order|lineitem|transaction|sale|invoice)?"
    r"(currency|wae?hrung|devise|moneda|moeda|valuta|waluta|munteenheid|parabirimi)"
    r"s?(code|iso|isocode|symbol|id|name|key|kennzeichen|kuerzel|schluessel)?",
    r"(?!.*(rate|kurs|exchange|amount|total|price|value)).*(currency|wae?hrung).*",
    r"curr|cur|ccy|whg|wrg|wkz|waehr|devises?.*|valut.*|iso(code)?|symbol|mena|munt|valuuta",
)
"""Usual names of a column of currencies as `simplified` writes them; only the first are sure."""
UNIT_IN_NAME = re.compile(
    rf"[(\[]\s*({CURRENCY_MARKS})\s*[)\]]|(?:\s+in\s+|[\s_-]+)((?:{CURRENCY_MARKS})|(?i:{'|'.join(CODES)}))$|"
    rf"^({CURRENCY_MARKS})[\s_]+(?=[^\W\d])|([$€£¥₹])$"
)
"""`Total (USD)`, `Betrag [EUR]`, `Subtotal ($)`, `Betrag in €`, `amount_gbp`, `EUR Betrag`."""


def simplified(name: str) -> str:
    """A name without path, case, accents, currency and punctuation: `Stück-Preis (EUR)` is `stueckpreis`."""
    name = unicodedata.normalize("NFC", name).strip()
    plain = UNIT_IN_NAME.sub("", name).rpartition(".")[2].lower() or name.lower()
    for letter, spelled in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        plain = plain.replace(letter, spelled)
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", plain))
