"""A mapping as it stands in a TOML file: which column holds which field, and how values are written."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAPPING_FIELDS = (
    *("customer", "time", "id", "event", "status", "updated", "currency"),
    *("order", "product", "name", "category", "brand", "quantity", "unit_price", "line_total"),
    *(
        "order_total",
        "goods_total",
        "tax",
        "shipping",
        "discount",
        "refunded",
        "coupon",
        "payment_method",
        "affiliation",
    ),
    *("channel", "campaign_id", "campaign_name", "campaign_source", "campaign_medium"),
    *(
        "rating",
        "rating_min",
        "rating_max",
        "text",
        "language",
        "review",
        "survey",
        "survey_kind",
        "ticket",
        "topic",
    ),
    *(
        "message",
        "bot",
        "link",
        "session",
        "cart",
        "query",
        "promotion",
        "program",
        "reason",
        "country",
        "timezone",
    ),
)
"""The fields that a column can be mapped to."""
ANY = "*"
"""In [events]: every value that is not named there."""
IGNORED = "ignore"
"""In [events]: rows with this value become no event."""


REFUND_FIELD, SKIP_FIELD = "refund.", "skip."
"""Before the names of values that only refund lines use, or only decide whether a line is ignored."""
SUMS = (
    "total",
    "grand total",
    "subtotal",
    "summe",
    "zwischensumme",
    "gesamt",
    "gesamtsumme",
    "totaal",
    "totale",
)
"""What reports write in front of a sum, in a line that is no order of anybody."""
NOBODY = (
    *("0", "guest", "anonymous", "unknown", "undefined", "(not set)", "-", "--"),
    *SUMS,
    *("n/a", "na", "nan", "null", "none"),
)
"""What shops write where nobody is logged in, databases for a missing value, reports in their last line."""
BLANK = frozenset({""})
BLANKS = {
    "order": frozenset({"", "(not set)", "n/a", "nan", "null", "none", "undefined", "-", "--", *SUMS}),
}
"""Field -> texts, in small letters, that count as a blank cell."""


class FileOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How the files are written."""

    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    """None: the suffix of the file decides."""
    encoding: str = "utf-8"
    delimiter: str | None = None
    names: tuple[str, ...] = ()
    """Column names of a file that has no header line."""
    title_lines: Annotated[int, Meta(ge=0, le=1_000)] = 0
    """Lines above the header: a title, the date of the report, a blank line."""
    quoted: bool = True
    """False: quotation marks are part of the text, as in TSV files that were written without quoting."""
    ragged: bool = False
    """True: blank cells at the end of a line may have been left out."""
    records: str | None = None
    """Path of the list of records in a JSON document, where `{"orders": [...]}` is not found by itself."""


class TimeOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How times are written."""

    formats: tuple[str, ...] = ("iso",)
    """`iso`, `unix_s`, `unix_ms`, `unix_us`, `excel` or a strptime format; tried in this order."""
    zone: str = "UTC"
    """IANA time zone of times that name no zone."""


class MoneyOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How amounts are written."""

    decimal: Literal[".", ","] | None = None
    """None: the point, unless every amount with one has three digits after it: then it must be said."""
    minor_units: bool = False
    """Amounts are in cents already."""

    @property
    def mark(self) -> str:
        """The decimal mark; the other one groups thousands."""
        return self.decimal or "."


class CustomerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How customer ids are written."""

    prefix: str = ""
    """Put before every id."""
    placeholders: tuple[str, ...] = NOBODY
    """Texts that stand for no customer, whatever their case: a line with one of these has no customer."""
    lowercase: bool = False
    """True: `Pat@x.org` and `pat@x.org` are one customer."""
    whole_number: bool = False
    """`17850.0` is customer 17850, as spreadsheets and data frames write it."""
    id_width: Annotated[int, Meta(ge=0, le=64)] = 0
    """Ids that are whole numbers get back the zeros in front that a spreadsheet cut, up to so many digits:
    with 5, `123` is `00123`. 0: as they are written."""


class ReturnOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How returned goods are written; a return refunds the customer's latest order that fits."""

    negative_quantity: bool = True
    """A negative quantity is a return; False: such a line is rejected."""
    order_prefix: str = ""
    """All lines of an order whose number begins like this are returns."""
    unmatched: Literal["refund", "reject"] = "refund"
    """A return that fits no earlier order refunds the order `unmatched-<number>`, or is rejected."""
    negative_total: Literal["refund", "ignore"] = "refund"
    """An order total below zero is a refund, or money that the business sent: such a line is ignored."""
    whole_orders: tuple[str, ...] = ()
    """Values of the `event` column that say: refunded, in full where no column has the amount."""
    parts_of_orders: tuple[str, ...] = ()
    """Values of the `event` column that say: part of the order was refunded."""


class OrderOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How the lines of an order belong together."""

    per_line: tuple[
        Literal["order_total", "goods_total", "tax", "shipping", "discount", "refunded"], ...
    ] = ()
    """Amounts that each line tells for itself: they are summed. So are those that differ within an order."""
    missing: Literal["reject", "own"] = "reject"
    """A line without an order number is rejected, or is an order of its own with all lines of the customer at
    that time."""
    status_lines: Literal["one", "each"] = "one"
    """Lines of an order that differ in their status only are one line, or each one of its own."""
    number_width: Annotated[int, Meta(ge=0, le=64)] = 0
    """As `id_width` of customers, of order numbers."""
    restarts_daily: bool = False
    """True: order numbers begin again each day, so the day (in the zone of [time]) is part of each number."""
    restarts_after_days: Annotated[int, Meta(ge=1, le=100_000)] = 30
    """The same number of the same customer, further apart than this, is another order."""


class ColumnMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """One mapping file."""

    columns: dict[str, str]
    """Field -> column name; in JSON lines a path.

    `A|B`: line by line the first that is not blank. `A+B`: both, joined. `A?`: may be absent.
    """
    source: str = "/import"
    """The source of the events."""
    constants: dict[str, str] = {}
    """Fields that have the same value on every line; beside a column: the value of its blank cells."""
    events: dict[str, str] = {}
    """Value of the `event` column, or `*` for every other one -> event type, or `ignore`."""
    values: dict[str, dict[str, str | bool | int | float]] = {}
    """Field -> label -> what the label is worth: the score of an answer, whether an opening is a bot's."""
    refund_columns: dict[str, str] = {}
    """Field -> the column that holds it on lines that are refunds, where it is not blank: a refund names its
    payment elsewhere than a payment names itself."""
    skip: dict[str, tuple[str, ...]] = {}
    """Column -> its texts, whatever their case, with which a line is ignored."""
    items: str | None = None
    """Path of the list of products in a JSON line; `items.x` in [columns] is then a field of a product."""
    fill_down: tuple[str, ...] = ()
    """Fields that only the first line of an order has."""
    file: FileOptions = FileOptions()
    time: TimeOptions = TimeOptions()
    money: MoneyOptions = MoneyOptions()
    customer: CustomerOptions = CustomerOptions()
    returns: ReturnOptions = ReturnOptions()
    orders: OrderOptions = OrderOptions()

    @property
    def columns_read(self) -> dict[str, str]:
        """Field -> column of all that is read: also what only some lines need, under names of their own."""
        of_refunds = {REFUND_FIELD + field: column for field, column in self.refund_columns.items()}
        return {**self.columns, **of_refunds, **{SKIP_FIELD + column: column for column in self.skip}}

    def blanks(self, field: str) -> frozenset[str]:
        """Texts of a field, in small letters, that count as a blank cell."""
        return _blanks(self.customer.placeholders) if field == "customer" else BLANKS.get(field, BLANK)

    @property
    def is_orders_only(self) -> bool:
        """Every row is a line of an order: neither a column nor a constant says the event type."""
        return "event" not in self.columns and "event" not in self.constants

    @property
    def fingerprint(self) -> str:
        """Equal for mappings with equal content."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


@lru_cache(16)
def _blanks(placeholders: tuple[str, ...]) -> frozenset[str]:
    return frozenset({"", *(text.strip().lower() for text in placeholders)})


class MappingError(Exception):
    """The mapping cannot be used; the message says where and why."""
