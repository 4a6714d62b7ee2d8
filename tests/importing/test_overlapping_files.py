"""Files of one import that overlap: what stands in two of them counts once, as when imported in turn."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from stream.commands.main import main
from stream.core.events.event import Event
from stream.importing.files.file_names import distinct_names
from stream.wire.decode import decode_line
from tests.support.importing import HEADER, INVOICES, Imported, imported

MUG, POT, PAN = (
    "1,mug,1,2020-01-01,2.00,ann\n",
    "1,pot,1,2020-01-01,5.00,ann\n",
    "2,pan,1,2020-01-03,7.00,ann\n",
)
VIEWS = """
[columns]
event = "event"
customer = "customer"
time = "time"
product = "product"
[events]
view = "engagement.product_viewed"
"""
VIEW_LINES = "event,customer,time,product\nview,ann,2020-01-01,mug\n"


def imported_files(folder, *texts, mapping=INVOICES):
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"{number}.csv")
        paths[-1].write_text(text)
    return Imported(mapping, *paths)


def every_line(done):
    lines = done.summary.as_dict()["lines"]
    return lines.pop("in") == sum(lines.values())


def first_of_each_id(*imports):
    """What a worker takes from imports one after another: the first event of each id."""
    found: dict[str, dict] = {}
    for done in imports:
        for event in done.events:
            found.setdefault(event["id"], event)
    return sorted(found.values(), key=lambda event: (event["time"], event["id"]))


@pytest.mark.parametrize(
    ("texts", "repeated", "reasons"),
    [
        ((MUG + POT, MUG + POT + PAN), 2, []),
        ((MUG + POT, POT + MUG), 2, []),
        ((MUG, MUG, MUG + PAN), 2, []),
        ((MUG + MUG, MUG + MUG + PAN), 2, []),
        ((MUG, MUG + MUG), 1, [(3, "order_differs")]),
        ((MUG + POT, MUG.replace("2.00", "3.00") + POT), 1, [(2, "order_differs")]),
        ((MUG, POT + PAN), 0, [(2, "order_differs")]),
        ((MUG, MUG.replace("01-01", "01-02")), 0, [(2, "order_differs")]),
        ((PAN, MUG + POT), 0, []),
        ((MUG, MUG.replace("ann", "bob")), 0, []),
        ((MUG + "1,mug,-1,2020-01-05,2.00,ann\n", MUG + "1,mug,-1,2020-01-05,2.00,ann\n"), 2, []),
        ((MUG, "1,mug,-1,2020-01-05,2.00,ann\n"), 0, []),
        ((MUG + "1,,1,2020-01-01,-1.00,ann\n", MUG), 1, [(3, "product_missing")]),
    ],
)
def test_an_order_in_two_files_is_one_order(tmp_path, texts, repeated, reasons):
    together = imported_files(tmp_path, *[HEADER + text for text in texts])
    one_by_one = [
        imported(tmp_path, HEADER + text, name=f"{number}.csv") for number, text in enumerate(texts)
    ]

    assert together.summary.repeated == repeated
    assert together.reasons() == reasons
    assert every_line(together)
    purchases = [event for event in together.events if event["type"] == "purchase.completed"]
    assert purchases == [e for e in first_of_each_id(*one_by_one) if e["type"] == "purchase.completed"]


def test_the_reject_names_file_and_line_that_count(tmp_path):
    done = imported_files(tmp_path, HEADER + PAN + MUG, HEADER + MUG.replace("2.00", "3.00"))

    (reject,) = done.rejects
    assert reject["file"].endswith("1.csv")
    assert reject["detail"] == f"order 1 stands on line 3 of {tmp_path / '0.csv'}, which counts"


def test_rows_of_other_events_that_overlap_count_once(tmp_path):
    done = imported_files(tmp_path, VIEW_LINES, VIEW_LINES + "view,ann,2020-01-02,pot\n", mapping=VIEWS)

    assert len(done.events) == 2
    assert done.summary.repeated == 1
    assert done.summary.as_dict()["events"] == {"engagement.product_viewed": 2}
    assert every_line(done)


def test_the_summary_says_how_many_lines_are_repeated(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(HEADER + MUG)
    (tmp_path / "mine.toml").write_text(INVOICES)
    arguments = ["import", str(tmp_path / "*.csv"), "--mapping", str(tmp_path / "mine.toml"), "--out"]

    answer = CliRunner().invoke(main, [*arguments, str(tmp_path / "events.jsonl")])

    assert "1  lines that repeat an earlier one" in answer.output
    (event,) = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert event["data"]["total_minor"] == 200


@pytest.mark.parametrize("field", ["invoice", "product", "customer"])
@pytest.mark.parametrize("name", ["\0", "\0ann", "\0model"])
def test_an_id_that_begins_with_a_nul_is_rejected(tmp_path, field, name):
    cells = {"invoice": "1", "product": "mug", "customer": "ann"} | {field: name}
    line = f"{cells['invoice']},{cells['product']},1,2020-01-01,2.00,{cells['customer']}\n"

    done = imported(tmp_path, HEADER + line + PAN)

    assert done.reasons() == [(2, "identifier_reserved")]
    assert every_line(done)


def test_the_customer_of_another_event_is_checked_as_well(tmp_path):
    done = imported_files(tmp_path, VIEW_LINES.replace("ann", "\0ann"), mapping=VIEWS)

    assert done.reasons() == [(2, "identifier_reserved")]


ODD = [
    "\0",
    "a\0b",
    "\x01",
    "\x1f",
    "\x7f",
    "\u200b",
    "\u2028",
    "\ufeffx",
    "\U0001f600",
    "a\u0301",
    "NaN",
    "-",
    "x" * 256,
]


@pytest.mark.parametrize("name", ODD)
def test_what_the_import_lets_through_every_other_command_reads(tmp_path, name):
    """As JSON lines, which can hold every character."""
    row = {
        "invoice": "1",
        "product": "mug",
        "quantity": "1",
        "time": "2020-01-01",
        "price": "2",
        "customer": name,
    }
    path = tmp_path / "lines.jsonl"
    path.write_text(json.dumps(row) + "\n")

    done = Imported(INVOICES, path)

    assert len(done.events) + len(done.rejects) == 1
    for event in done.outgoing:
        assert isinstance(decode_line(event.value), Event)


UNNUMBERED = INVOICES.replace('order = "invoice"\n', "").replace('order_prefix = "C"\n', "")


def test_lines_without_an_order_number_are_orders_of_their_own_also_in_files_of_one_name(tmp_path):
    for folder, price in (("north", "2.00"), ("south", "3.00"), ("deep/south", "4.00")):
        (tmp_path / folder).mkdir(parents=True)
        line = f"mug,1,2020-01-01,{price},ann\n"
        (tmp_path / folder / "till.csv").write_text(HEADER.partition(",")[2] + line)
    (tmp_path / "other.csv").write_text(HEADER.partition(",")[2] + "mug,1,2020-01-01,5.00,ann\n")
    names = ("north/till.csv", "south/till.csv", "deep/south/till.csv", "other.csv")

    done = Imported(UNNUMBERED, *(tmp_path / name for name in names))

    bought = {
        event["data"]["order_id"]: event["data"]["total_minor"] for event in done.of("purchase.completed")
    }
    assert sorted(bought.values()) == [200, 300, 400, 500]
    assert bought["north/till.csv-2"] == 200
    assert bought["deep/south/till.csv-2"] == 400
    assert bought["other.csv-2"] == 500
    assert done.rejects == []
    assert every_line(done)


@given(
    st.lists(
        st.lists(st.sampled_from(("a", "b", "till.csv")), min_size=1, max_size=4).map(tuple),
        min_size=1,
        max_size=8,
        unique=True,
    )
)
def test_names_of_files_differ_wherever_the_files_do_and_end_in_the_name_of_the_file(places):
    paths = [Path("/", *place) for place in places]

    names = distinct_names(paths)

    assert len(set(names)) == len(names)
    assert all(str(path).endswith(name) for path, name in zip(paths, names, strict=True))
    alone = [path for path in paths if sum(other.name == path.name for other in paths) == 1]
    assert all(names[paths.index(path)] == path.name for path in alone)
