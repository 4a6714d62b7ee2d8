"""Files in layouts without a ready mapping: `--suggest` maps them, and pandas agrees to the line and cent."""

import gzip
import random
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.suggest.suggest import suggested_mapping
from stream.recording.event_file import atomic_writer
from tests.support.importing import Imported

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

LINES = 2_500
HEADER = (
    "InvoiceNumber",
    "SKU",
    "Product name",
    "Qty",
    "Invoice date",
    "Unit price",
    "Customer no",
    "Country",
)
GERMAN = ("Rechnungsnr", "Artikelnr", "Bezeichnung", "Menge", "Datum", "Einzelpreis", "Kundennr", "Land")


def invoices(seed, *, days=300, fractions=False, odd_prices=True):
    """Lines of shuffled orders: returns, credit notes, blanks, free goods, vouchers, shared order numbers."""
    draw = random.Random(seed)
    lines: list[Any] = []
    begin = pd.Timestamp("2021-01-01 00:00")
    while len(lines) < LINES:
        number, customer = f"{draw.randrange(100_000, 102_000)}", f"{draw.randrange(11_000, 11_400)}"
        at = begin + pd.Timedelta(minutes=draw.randrange(days * 1_440))
        credit = draw.random() < 0.06
        for _ in range(draw.randrange(1, 6)):
            quantity = str(draw.choice([1, 1, 2, 6, 48]) * (-1 if credit or draw.random() < 0.02 else 1))
            if fractions and draw.random() < 0.4:
                quantity = f"{'-' if credit else ''}{draw.randrange(1, 9_000) / 1_000:.3f}"
            price = f"{draw.randrange(1, 250_000) / 100:.2f}"
            if odd_prices and draw.random() < 0.05:
                price = draw.choice(["0.00", "-5.00", "", "n/a"])
            quantity = draw.choice(["0", ""]) if draw.random() < 0.01 else quantity
            number = f"C{number.lstrip('C')}" if credit else number
            who = "" if draw.random() < 0.1 else customer
            name = f"SET OF {draw.randrange(9)}"
            product = f"P{draw.randrange(300)}"
            lines.append([number, product, name, quantity, at, price, who, "Norway"])
    draw.shuffle(lines)
    return lines


def expected(lines):
    """Computed by pandas: how many lines can be used, and their exact amount in 1e-9 cents."""
    table = pd.DataFrame(lines, columns=[*"opnqtmck"])
    quantity, price = pd.to_numeric(table["q"], "coerce"), pd.to_numeric(table["m"], "coerce")
    known = quantity.notna() & price.notna() & (quantity != 0) & (table["c"] != "")
    kept = table[known & ~((quantity < 0) & (price <= 0))]
    credit = kept["o"].str.startswith("C")
    worth = kept["q"].map(Decimal) * kept["m"].map(Decimal) * 100
    return len(kept), int((worth.where(~credit, -worth.abs())).sum() * 10**9)


def text_of(lines, time="%Y-%m-%d %H:%M", header=HEADER, mark=",", cell=None):
    cell = cell or (lambda column, value: value)
    rows = [[*line[:4], line[4].strftime(time), *line[5:]] for line in lines]
    body = [mark.join(cell(column, value) for column, value in enumerate(row)) for row in rows]
    return "\r\n".join([mark.join(header), *body]) + "\r\n"


def comma(column, value):
    """A German spreadsheet: 1.234,50 and 0,735."""
    if column == 5 and value not in {"", "n/a"}:
        return f"{float(value):,.2f}".translate(str.maketrans(",.", ".,"))
    return value.replace(".", ",") if column == 3 else value.replace("SET OF", "Größe")


def pounds(column, value):
    if column == 5 and value and value[0].isdigit():
        return f'"£{float(value):,.2f}"'
    return f"{value}.0" if column == 6 and value else value


def broken(column, value):
    return f'"{value}, ""red""\n(new)"' if column == 2 else value


def excel_day(lines):
    days = pd.Series([line[4] for line in lines]) - pd.Timestamp("1899-12-30")
    stamps = (days / pd.Timedelta(days=1)).map(repr)
    return [[*line[:4], Stamp(stamp), *line[5:]] for line, stamp in zip(lines, stamps, strict=True)]


class Stamp(str):
    """A time that is written as this text, whatever the format."""

    def strftime(self, form):
        return str(self)


def utf8_with_mark(path, lines):
    path.write_bytes(text_of(lines).encode("utf-8-sig"))


def latin_semicolons(path, lines):
    path.write_bytes(text_of(lines, "%d.%m.%Y %H:%M", GERMAN, ";", comma).encode("cp1252"))


def quoted_line_breaks(path, lines):
    path.write_bytes(text_of(lines, cell=broken).encode())


def times_with_offsets(path, lines):
    path.write_bytes(text_of(lines, "%Y-%m-%dT%H:%M:%S+02:00").encode())


def day_first(path, lines):
    """Sorted by time: in the first lines no day is above 12, so they could also be read month first."""
    path.write_bytes(text_of(sorted(lines, key=lambda line: line[4]), "%d/%m/%Y %H:%M").encode())


def month_first(path, lines):
    path.write_bytes(text_of(lines, "%m/%d/%y %I:%M %p").encode())


def spreadsheet_days(path, lines):
    path.write_bytes(text_of(excel_day(lines)).encode())


def signs_and_doubled_headers(path, lines):
    header = (*HEADER[:-1], "Unit price")  # the second column of that name holds something else
    path.write_bytes(text_of(lines, header=header, cell=pounds).encode())


def scientific(path, lines):
    def cell(column, value):
        return f"{Decimal(value):.9E}" if column in {3, 5} and value and value != "n/a" else value

    path.write_bytes(text_of(lines, cell=cell).encode())


def utf16_tabs(path, lines):
    path.write_bytes(text_of(lines, mark="\t").encode("utf-16"))


def gzipped(path, lines):
    path.write_bytes(gzip.compress(text_of(lines).encode()))


def zstandard(path, lines):
    with atomic_writer(path) as out:
        out.write(text_of(lines).encode())


def decimals(path, lines):
    """Parquet: a decimal price, a float customer, a small integer quantity, a timestamp."""
    table = pd.DataFrame(lines, columns=HEADER)
    table["Unit price"] = table["Unit price"].map(lambda text: Decimal(text) if text else None)
    table["Qty"] = pd.to_numeric(table["Qty"]).astype("Int16")
    table["Customer no"] = pd.to_numeric(table["Customer no"])
    table.to_parquet(path)


def floats(path, lines):
    table = pd.DataFrame(lines, columns=HEADER)
    for name in ("Unit price", "Qty", "Customer no"):
        table[name] = pd.to_numeric(table[name])
    table["Invoice date"] = table["Invoice date"].dt.strftime("%Y-%m-%d %H:%M:%S")
    table.to_parquet(path)


def json_lines(path, lines):
    table = pd.DataFrame(lines, columns=HEADER)
    table["Invoice date"] = table["Invoice date"].map(lambda at: int(at.timestamp()))
    table.to_json(path, orient="records", lines=True)


FILES = [
    (utf8_with_mark, ".csv", {}),
    (latin_semicolons, ".csv", {"fractions": True}),
    (quoted_line_breaks, ".csv", {}),
    (times_with_offsets, ".csv", {}),
    (day_first, ".csv", {}),
    (month_first, ".csv", {}),
    (spreadsheet_days, ".csv", {}),
    (signs_and_doubled_headers, ".csv", {}),
    (scientific, ".csv", {"fractions": True}),
    (utf16_tabs, ".txt", {}),
    (gzipped, ".csv.gz", {"fractions": True}),
    (zstandard, ".csv.zst", {}),
    (decimals, ".parquet", {"odd_prices": False}),
    (floats, ".parquet", {"odd_prices": False}),
    (json_lines, ".jsonl", {}),
]


@pytest.mark.parametrize(("write", "suffix", "options"), FILES, ids=[file[0].__name__ for file in FILES])
def test_the_suggested_mapping_works_and_pandas_agrees(tmp_path, write, suffix, options):
    lines = invoices(write.__name__, **options)
    path = tmp_path / f"unseen{suffix}"
    write(path, lines)
    kept, worth = expected(lines)

    mapping = suggested_mapping(path, as_json=False)
    done = Imported(mapping, path)
    summary = done.summary
    (currency,) = summary.orders_minor

    assert parse_mapping(mapping, "suggested").returns.order_prefix == "C"
    assert (summary.lines, summary.ignored) == (len(lines), 0)
    assert summary.in_orders + summary.in_refunds == kept
    assert summary.in_orders + summary.in_refunds + len(done.rejects) == summary.lines
    net = summary.orders_minor[currency] - summary.refunds_minor[currency]
    assert net * 10**9 - summary.rounding[currency] == worth
    assert sum(e["data"]["total_minor"] for e in done.of("purchase.completed")) == sum(
        summary.orders_minor.values()
    )


@pytest.mark.parametrize("write", [day_first, month_first, spreadsheet_days, latin_semicolons])
def test_times_are_read_as_they_were_written(tmp_path, write):
    lines = invoices("times")
    path = tmp_path / "unseen.csv"
    write(path, lines)
    done = Imported(suggested_mapping(path, as_json=False), path)
    days = {at.strftime("%Y-%m-%dT%H:%M:00Z") for _, _, _, _, at, *_ in lines}

    assert {e["time"] for e in done.events} <= days


def test_a_suggestion_warns_where_day_and_month_could_be_exchanged(tmp_path):
    lines = [line for line in invoices("doubt") if line[4].day <= 12]
    path = tmp_path / "unseen.csv"
    day_first(path, lines)

    assert "# every time also fits %d/%m/%Y %H:%M: which is right?" in suggested_mapping(path, as_json=False)


def test_a_ready_mapping_is_suggested_with_the_time_format_of_the_file(tmp_path):
    retail = (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    )
    path = tmp_path / "unseen.csv"
    path.write_text(text_of(invoices("retail"), "%d/%m/%Y %H:%M", retail))
    suggestion = suggested_mapping(path, as_json=False)

    assert suggestion.startswith("# ready mapping: online-retail")
    assert 'formats = ["%d/%m/%Y %H:%M"]' in suggestion
