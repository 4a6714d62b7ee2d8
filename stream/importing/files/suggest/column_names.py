"""Common column names of exports, in several languages, and common time formats."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from stream.importing.files.currency_marks import CODES, CURRENCY_MARKS

ID = r"(id|no|number|nr|num|nummer|key|code|ref|reference|hash)"
NUMBER_OF = (
    r"(id|no?|num|nr|number|numero|numeros|nombre|code|codigo|codice|reference|referencia|riferimento)"
    r"(de|do|du|del|della|of)?"
)
"""What stands before the thing in Romance languages: `número do pedido`, `N° de commande`."""
OTHER_TIMES = (
    "ship|deliver|updat|birth|estimat|due|expir|modif|cancel|sent|start|refund|return|valid|"
    "livraison|naissance|envoi|modification|entrega|envio|nacimiento|nascimento|consegna|nascita|spedizione|"
    "geburt|liefer|versand|aender|storn|faellig|erstatt|verzend|lever|geboorte|wijzig"
)
"""Parts of names of times at which nothing was ordered."""
GERMAN_AMOUNT = (
    r"(brutto|netto|gesamt|end|rechnungs?|bestell|auftrags?|beleg|zahl|warenkorb|waren|verkaufs|kauf)*"
    r"(betrag|summe|umsatz|wert|total|erloes)(e|s)?"
)
COLUMN_PATTERNS: Mapping[str, Sequence[str]] = {
    "customer": (
        r"cust(omer)?unique(id)?|buyeruserid",
        rf"(cust(omer)?|client|user|buyer|shopper|household|member|reviewer|kunden?|kd|klant|clienten?|person|"
        rf"requester)n?{ID}",
        rf"{NUMBER_OF}(client|cliente|klant)",
        r"(cust(omer)?|client|user|buyer|shopper|household|member|reviewer|kunde|klant|cliente|debitor|visitorid|userpseudoid)",
        r"(cust(omer)?|client|user|buyer|contact|purchase|purchaser|payer|from|person|requester|recipient)?"
        r"e?mail(address|adresse|adres|billing)?|billingemail|buyerusername",
        r"(adresse?(de)?)?(e?mail|courriel|correo(electronico)?)((de|do|du|del)?(client|cliente|comprador)|facturation|"
        r"facturacion|fatturazione|faturamento|cobranca|factuur|rechnung|kunde)?",
        rf"cpf|cnpj|(loyalty|member(ship)?|bonus|kunden|club|reward)s?(card|karte|cartao)({ID})?",
        r"(customer|buyer|billing|contact|client|kunden?)?(tele)?(phone|fon|mobile|mobil|handy|cell|cellphone|celular|"
        r"whatsapp|contact|telefone|telefono|movil)(no|nr|num|number|nummer|numero|billing)?",
        r"(customer|buyer|billto|full|kunden)name",
    ),
    "order": (
        rf"(amazon)?(order|bestell?|auftrags?|vorgangs|pedido|commande|ordine|purchase){ID}(del)?|documentno|order|pedido",
        rf"{NUMBER_OF}(la|l)?(pedido|commande|ordine|ordre|compra|order|bestelling)|commande|ordine|bestelling|"
        r"bestellung|auftrag|reference|referencia|riferimento",
        rf"(invoice|inv|rechnungs?|beleg|receipt|bill|basket|facture|factura|fattura|factuur|incrementid|checkout)s?{ID}?",
        rf"(transaction|payment|session|sale){ID}?|salesrecordnumber",
    ),
    "time": (
        r"(order|purchase|sale|invoice|transaction|bestell?|rechnungs|auftrags|kauf|event|review)s?"
        r"(purchase)?(date|datum|time|timestamp|datetime|at)(s?)|purchasedon|createdat|created(date)?(utc)?|"
        r"datecreated|orderpurchasetimestamp|saledate|tdat|enddate|completedat",
        r"(order(ed)?|placed|purchased?|bought|paid|billed|sold|submitted|completed|processed|created|captured|closed)"
        r"(at|on|date|time|timestamp)(utc|gmt)?|orderplaced|(date|time)(of)?(order(ed)?|purchased?|paid|payment|sale)",
        r"(bestell|kauf|auftrags|beleg|buchungs|zahlungs|rechnungs|erstell|verkaufs|umsatz)(datum|zeit|zeitpunkt|tag)"
        r"(uhrzeit)?|(bestellt|gekauft|bezahlt|erstellt)(am|um)",
        r"date|datum|fecha|data|time|timestamp|datetime|ts|day|when|zeit|zeitpunkt|(date|time)utc|dateadded",
        rf"(?!.*({OTHER_TIMES})).*(date|time|timestamp|createdat|occurredat|datum|fecha|zeit|zeitpunkt|datetime)",
        rf"(?!.*({OTHER_TIMES}))(date|fecha|data|datum)(de|da|do|du|del|van)?[a-z]*",
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
        r"(lineitem)?(quantity|qty|quant|menge|anzahl|stueck|stueckzahl|quantite|cantidad|quantidade|quantita|"
        r"aantal|qte|qtde?|stk|stuks|pezzi)(purchased|ordered|sold|refund)?|units|pieces|pcs|count|numberofcds|"
        r"amountofitems",
        r"(total|no|num|number|anzahl|nombre|numero|aantal)?(of|de|di)?"
        r"(items|products|articles|artikel|positionen|produkte|articulos|productos|produtos|articoli|prodotti|artikelen|"
        r"producten)(count|quantity|sold|ordered)?|itemcount|itemquantity",
    ),
    "unit_price": (
        r"(unit|item|net|lineitem|product)?(price|preis|prix|precio|cost)(perunit|each|unit)?|"
        r"(einzel|stueck)preis|(valor|preco|precio|prezzo|importe)unitario|prixunitaire|stukprijs|soldfor",
    ),
    "line_total": (
        r"(line|row|lineitem|item)(total|amount|value|sum)|netsales?|extendedprice|gesamtpreis|zeilenpreis",
        r"(gross)?sales?(value|amount)?|revenue|umsatz|importe|grossrevenue",
    ),
    "order_total": (
        r"(order|grand)total(amount|inctax|purchased)?|totalinc(l|luding)?tax",
        r"(order|grand)?totale?(de|do|du|del|della|dell)?(la|l)?(commande|pedido|ordine|ordre|compra)(ttc)?",
        r"(montant|importe|monto|valor|importo)(total|totale)?(de|do|du|del|della|dell)?(la|l)?(commande|pedido|ordine|compra)"
        r"(ttc)?",
        rf"{GERMAN_AMOUNT}(brutto|gesamt|inkl(usive)?mwst)|brutto{GERMAN_AMOUNT}",
        r"(order|grand|invoice|cart|purchase|basket)(total|value|amount)(amount|price|inctax|paid|purchased)?|"
        r"grandtotal(purchased|base)|total(price|paid|collected|amount|due)|amountpaid|paymentvalue|"
        r"paymentamount|gesamtbetrag|rechnungsbetrag|endbetrag|bestellwert|valortotal|totalttc|saleprice",
        r"amounttotal|(montant|importe|monto|valor|importo|totale?)(total|totale|paye|pagado|pago|pagato|ttc|ivato|"
        r"iva(incluido|inclusa)?)+|prixtotal|preciototal|precototal|prezzototale|totaleordine|ordertotaal",
        r"(totaal|order|factuur|bestel)?(bedrag|totaal|prijs)(incl(usief)?(btw)?)?|totaalbedrag|omzet(incl(btw)?)?",
        rf"{GERMAN_AMOUNT}|totale|importo|monto|ventas|vendas|chiffredaffaires",
        r"(net|gross)?(amount|total)|value|dollarvalue|brutto|gross|gesamt|montant(ttc)?|valor|sum|price",
        rf"{GERMAN_AMOUNT}netto",
    ),
    "tax": (
        r"(order|item|sales|total|ordersales)?tax(es)?(amount|value|total)?|ordertotaltaxamount|mwst|ust|steuer|vat|iva|tva|btw|imposto",
    ),
    "shipping": (
        r"(order)?(shipping|freight|versand|porto|postage|verzend)(price|cost|amount|value|total|kosten|andhandling)?|"
        r"ordershippingamount|shippingandhandlingamount|frais(de)?(port|livraison)|gastos(de)?envio|frete|"
        r"spese(di)?spedizione",
    ),
    "discount": (
        r"(order|cart|total|item)?discounts?(amount|value|total)?|cartdiscountamount|rabatt|remise|descuento|desconto|sconto|korting|"
        r"itempromotiondiscount",
    ),
    "refunded": (
        r"(amount|total|payment)?refund(ed)?(amount|total|value)?|orderrefundamount|amountrefunded|totalrefunded|"
        r"erstattung|partialrefunds?",
    ),
    "affiliation": (
        r"(store|branch|outlet|filial|filiale|loja|tienda|sucursal|winkel|magasin|negozio|boutique|standort)s?"
        rf"(name|{ID})?|(store)?location(name)?|pointofsale",
    ),
    "coupon": (r"(coupon|vouchercode|discountcode|gutschein)(codes?)?",),
    "payment_method": (
        r"payment(method(title)?|type)|zahlungsart|zahlart|betaalmethode|paiement|metodo(de|di)?pag(o|amento)|pago|pagamento",
    ),
    "channel": (r"(sales)?channel|salechannel|saleschannelid|purchasepoint|vertriebskanal",),
    "campaign_name": (r"(utm)?campaign(name)?",),
    "rating": (r"(star)?rating|stars|overall|score|npsscore|nps|bewertung|sterne|.*howlikely.*recommend.*",),
    "text": (
        r"(review)?(text|body|comments?|content)|review|feedback|comment(title)?|kommentar|.*whatcouldwedo.*",
    ),
    "review": (r"(review|response|respondent|answer)id",),
    "ticket": (r"(ticket|case)" + ID,),
    "topic": (r"subject|topic|betreff",),
    "bot": (
        r"(sg|is)?machineopen(ed)?s?|(is)?(bot|machine|automated)(open(ed)?|click(ed)?|event|activity)?s?|"
        r"(apple)?privacyopens?|(is)?(apple)?(mpp|prefetch(ed)?)|openedby(a)?(machine|bot)",
    ),
}
"""Field -> regular expressions of its usual column names as `simplified` writes them, the surest first."""
COUNTED = (
    r"items|products|articles|artikel|produkte|articulos|productos|produtos|articoli|prodotti|"
    r"artikelen|producten"
)
"""Names of columns that hold the product, or how many of them there are: the cells decide."""
SEPARATE_CLOCK = r"(order|sale|purchase|transaction)?(time|uhrzeit|hora|zeit)(oftransaction|utctimezone)?"
SEPARATE_ZONE = r"time ?zone"
MONEY_FIELDS = ("unit_price", "line_total", "order_total")
AMOUNT_FIELDS = (*MONEY_FIELDS, "tax", "shipping", "discount", "refunded")
DATE_FORMATS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y"),
)
CLOCK_FORMATS = (
    *("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"),
    *(", %H:%M", ", %H:%M:%S", ", %I:%M %p", ", %I:%M:%S %p"),
)
YEAR_FIRST_FORMATS = ("%y/%m/%d", "%y.%m.%d", "%y-%m-%d")
TIME_FORMATS = (
    "iso",
    *(day + clock for clock in CLOCK_FORMATS for day in DATE_FORMATS),
    *(day + clock for clock in CLOCK_FORMATS for day in YEAR_FIRST_FORMATS),
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y"),
    *("%d-%b-%Y %H:%M", "%Y-%m-%d %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z"),
    *("%b-%d-%y", "%B %d, %Y", "%d %B %Y", "%d.%m.%Y %H:%M Uhr", "%d.%m.%Y, %H:%M Uhr"),
    *(
        day + clock
        for clock in CLOCK_FORMATS[1:]
        for day in ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y")
    ),
    *("%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z"),
)
EXCEL_DAYS = (32_874, 73_050)
"""The days 1990-01-01 to 2099-12-31 as spreadsheets number them; the end is excluded."""
CURRENCY_NAMES = (
    r"(payment|order|lineitem|transaction|sale|invoice)?"
    r"(currency|wae?hrung|devise|moneda|moeda|valuta|divisa|waluta|munteenheid|parabirimi)"
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
MINOR_IN_NAME = re.compile(r"(?<=.)(in)?(cents|minor|minorunits?|pence)$")
"""`amount_cents`, `total_in_pence`: the amounts are in minor units already."""
PATH = re.compile(r"\w+(\.\w+)+")
"""`order.customer.id` of a JSON record; `Kd.-Nr.` is none."""


LABEL_OF = {"name", "label", "title", "value", "displayname", "technicalname", "code"}
"""The last part of a path that only says that the part before it is shown as text."""


def simplified_status(name: str) -> str:
    """As `simplified`; of `order.stateMachineState.name` the part that says what is named."""
    path, _, last = name.strip().rpartition(".")
    return simplified(path if path and simplified(last) in LABEL_OF else name)


def is_minor(name: str) -> bool:
    """Whether a column says that its amounts are in minor units."""
    return MINOR_IN_NAME.search(re.sub(r"[^a-z0-9]", "", name.lower())) is not None


def simplified(name: str) -> str:
    """A name without path, case, accents, currency and punctuation: `Stück-Preis (EUR)` is `stueckpreis`."""
    bare = UNIT_IN_NAME.sub("", unicodedata.normalize("NFC", name).strip())
    plain = (bare.rpartition(".")[2] if PATH.fullmatch(bare) else bare).lower() or name.lower()
    for letter, spelled in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        plain = plain.replace(letter, spelled)
    letters = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", plain))
    return MINOR_IN_NAME.sub("", letters) or letters
