"""Helpers of the import tests: text in; events, rejects and the summary out."""

import io
import json
from pathlib import Path

from stream.importing.files.importer import Importer
from stream.importing.files.mapping.load import parse_mapping, ready_mappings

INVOICES = """
source = "/shop"
[columns]
order = "invoice"
product = "product"
quantity = "quantity"
time = "time"
unit_price = "price"
customer = "customer"
[constants]
currency = "GBP"
[returns]
order_prefix = "C"
"""
HEADER = "invoice,product,quantity,time,price,customer\n"


class Imported:
    def __init__(self, mapping, *paths, **options):
        rejects = io.BytesIO()
        importer = Importer(parse_mapping(mapping, "test.toml"), rejects, lambda count: None, **options)
        self.outgoing = list(importer.events(list(paths)))
        self.events = [json.loads(event.value) for event in self.outgoing]
        self.summary = importer.summary
        self.rejects = [json.loads(line) for line in rejects.getvalue().splitlines()]

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    def reasons(self):
        return [(reject["line"], reject["reason"]) for reject in self.rejects]


CASES = Path(__file__).parents[1] / "importing" / "cases"
"""Exports as people have them; each folder has its files and mappings."""


def case(folder, mapping, *files, change=("", "")):
    text = (CASES / folder / mapping).read_text() if mapping.endswith(".toml") else ready_mappings()[mapping]
    return Imported(text.replace(*change), *(CASES / folder / name for name in files))


def imported(folder, text, mapping=INVOICES, name="lines.csv", **options):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Imported(mapping, path, **options)


def orders(done):
    return {e["data"]["order_id"]: e["data"]["total_minor"] for e in done.of("purchase.completed")}


def refunds(done):
    return [(e["data"]["order_id"], e["data"]["refund_minor"]) for e in done.of("purchase.refunded")]


def of_ready(folder, name, text, file):
    return imported(folder, text, ready_mappings()[name], file)


def lines_of(*objects):
    return "".join(json.dumps(one) + "\n" for one in objects)
