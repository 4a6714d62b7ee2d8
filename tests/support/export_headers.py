"""Header lines of real exports, with a few made-up rows (cases/headers), and what is in them."""

from typing import NamedTuple

from tests.support.importing import CASES


class Export(NamedTuple):
    """One export: its maker, its file, and the columns that --suggest must find."""

    name: str
    file: str
    expected: dict[str, str]
    """Field -> column; `money` is any of the fields with amounts."""

    @property
    def path(self):
        return CASES / "headers" / self.file


WOO = Export(
    "WooCommerce, Advanced Order Export",
    "woo.csv",
    {"customer": "Email (Billing)", "time": "Order Date", "order": "Order Number", "money": "Item Cost"},
)
MAGENTO = Export(
    "Magento 2, sales order grid",
    "magento.csv",
    {
        "customer": "Customer Email",
        "time": "Purchase Date",
        "order": "ID",
        "money": "Grand Total (Purchased)",
    },
)
SQUARE_ITEMS = Export(
    "Square, item sales",
    "square-items.csv",
    {
        "customer": "Customer ID",
        "time": "Date+Time+Time Zone",
        "order": "Transaction ID",
        "money": "Net Sales",
    },
)
SQUARE_PAYMENTS = Export(
    "Square, transactions",
    "square-payments.csv",
    {
        "customer": "Customer ID",
        "time": "Date+Time+Time Zone",
        "order": "Transaction ID",
        "money": "Total Collected",
    },
)
PAYPAL = Export(
    "PayPal, activity download",
    "paypal.csv",
    {
        "customer": "From Email Address",
        "time": "Date+Time+TimeZone",
        "order": "Transaction ID",
        "money": "Gross",
    },
)
STRIPE = Export(
    "Stripe, payments",
    "stripe.csv",
    {"customer": "Customer ID", "time": "Created date (UTC)", "order": "id", "money": "Amount"},
)
ETSY_ITEMS = Export(
    "Etsy, sold order items",
    "etsy-items.csv",
    {"customer": "Buyer", "time": "Sale Date", "order": "Order ID", "money": "Price"},
)
ETSY_ORDERS = Export(
    "Etsy, sold orders",
    "etsy-orders.csv",
    {"customer": "Buyer User ID", "time": "Sale Date", "order": "Order ID", "money": "Order Total"},
)
AMAZON = Export(
    "Amazon Seller Central, orders (tab separated)",
    "amazon.tsv",
    {"customer": "buyer-email", "time": "purchase-date", "order": "order-id", "money": "item-price"},
)
EBAY = Export(
    "eBay, sales orders",
    "ebay.csv",
    {"customer": "Buyer Username", "time": "Sale Date", "order": "Order Number", "money": "Sold For"},
)
OLIST = Export(
    "Olist, joined",
    "olist.csv",
    {
        "customer": "customer_unique_id",
        "time": "order_purchase_timestamp",
        "order": "order_id",
        "money": "payment_value",
    },
)
REES46 = Export(
    "REES46, cosmetics shop",
    "rees46.csv",
    {"customer": "user_id", "time": "event_time", "event": "event_type", "money": "price"},
)
SUPERSTORE = Export(
    "Superstore",
    "superstore.csv",
    {"customer": "Customer ID", "time": "Order Date", "order": "Order ID", "money": "Sales"},
)
ISTANBUL = Export(
    "Customer shopping, Istanbul",
    "istanbul.csv",
    {"customer": "customer_id", "time": "invoice_date", "order": "invoice_no", "money": "price"},
)
SQUARESPACE = Export(
    "Squarespace, orders",
    "squarespace.csv",
    {"customer": "Email", "time": "Created at", "order": "Order ID", "money": "Lineitem price"},
)
WIX = Export(
    "Wix, orders",
    "wix.csv",
    {"customer": "Contact email", "time": "Date created+Time", "order": "Order number", "money": "Price"},
)
GUMROAD = Export(
    "Gumroad, sales",
    "gumroad.csv",
    {
        "customer": "Purchase Email",
        "time": "Purchase Date+Purchase Time (UTC timezone)",
        "order": "Purchase ID",
        "money": "Sale Price ($)",
    },
)
BIGCOMMERCE = Export(
    "BigCommerce, orders",
    "bigcommerce.csv",
    {
        "customer": "Customer ID|Customer Email",
        "time": "Order Date",
        "order": "Order ID",
        "money": "Order Total (inc tax)",
    },
)
GERMAN = Export(
    "German shop",
    "german.csv",
    {
        "customer": "Kundennummer",
        "time": "Bestelldatum",
        "order": "Bestellnummer",
        "money": "Einzelpreis (EUR)",
    },
)
BRAZILIAN = Export(
    "Brazilian shop",
    "brazilian.csv",
    {"customer": "Cliente", "time": "Data", "order": "Pedido", "money": "Valor Unitário"},
)
HM = Export(
    "H&M, transactions",
    "hm.csv",
    {"customer": "customer_id", "time": "t_dat", "money": "price"},
)
DUNNHUMBY = Export(
    "dunnhumby, The Complete Journey",
    "dunnhumby.csv",
    {},  # its days are numbered from 1: there is no time in it, and that is what is reported
)
SURVEYMONKEY = Export(
    "SurveyMonkey",
    "surveymonkey.csv",
    {"customer": "Email Address", "time": "End Date", "event": "feedback.survey_answered"},
)
DELIGHTED = Export(
    "Delighted",
    "delighted.csv",
    {"customer": "Person ID", "time": "Created At", "event": "feedback.survey_answered"},
)
ZENDESK = Export(
    "Zendesk, tickets",
    "zendesk.csv",
    {"customer": "Requester id", "time": "Created at", "event": "feedback.ticket_opened", "ticket": "Id"},
)
YELP = Export(
    "Yelp, reviews",
    "yelp.csv",
    {"customer": "user_id", "time": "date", "event": "feedback.reviewed"},
)
KLAVIYO = Export(
    "Klaviyo, events of e-mail",
    "klaviyo.csv",
    {"customer": "Person ID", "time": "Timestamp", "event": "Event"},
)
ORDER_EXPORTS = (
    WOO,
    MAGENTO,
    SQUARE_ITEMS,
    SQUARE_PAYMENTS,
    PAYPAL,
    STRIPE,
    ETSY_ITEMS,
    ETSY_ORDERS,
    AMAZON,
    EBAY,
    OLIST,
    REES46,
    SUPERSTORE,
    ISTANBUL,
    SQUARESPACE,
    WIX,
    GUMROAD,
    BIGCOMMERCE,
    GERMAN,
    BRAZILIAN,
    HM,
    DUNNHUMBY,
)
OTHER_EXPORTS = (
    SURVEYMONKEY,
    DELIGHTED,
    ZENDESK,
    YELP,
    KLAVIYO,
)
