"""Two stores with orders of one number: they are two orders where a column says so, else it is said."""

from itertools import permutations

from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import Imported, imported, orders, refunds

RECEIPTS = """
source = "/tills"
[columns]
order = "Receipt"
customer = "Customer"
time = "Time"
product = "Article"
line_total = "Amount"
event = "What?"
affiliation = "Store?"
[constants]
currency = "EUR"
event = "purchase.completed"
[events]
sale = "purchase.completed"
"purchase.completed" = "purchase.completed"
back = "purchase.refunded"
"""
HEADER = "Receipt,Customer,Time,Article,Amount,Store\n"
LEEDS = "1001,ann,2026-03-02 09:00,mug,5.00,Leeds\n1001,ann,2026-03-02 09:00,pot,7.00,Leeds\n"
YORK = "1001,ann,2026-03-02 17:00,pan,3.00,York\n"


def sentences(done, mapping=RECEIPTS):
    return "\n".join(cautions(parse_mapping(mapping, "m"), done.summary))


def test_one_number_in_two_stores_is_two_orders(tmp_path):
    for lines in permutations((LEEDS, YORK)):
        done = imported(tmp_path, HEADER + "".join(lines), RECEIPTS)

        assert orders(done) == {"1001": 1200, "1001@York": 300}
        assert (
            "order numbers of one customer in two stores ('Store'): 1; they are two orders each"
            in sentences(done)
        )
        assert 'order = "Store+Receipt"' in sentences(done)


def test_lines_without_a_store_and_refunds_stay_with_the_first(tmp_path):
    lines = (
        "Receipt,Customer,Time,Article,Amount,Store,What\n"
        "1001,ann,2026-03-02 09:00,mug,5.00,Leeds,sale\n1001,ann,2026-03-02 09:00,pot,7.00,,sale\n"
        "1001,ann,2026-03-02 17:00,pan,3.00,York,sale\n"
        "1001,ann,2026-03-03 17:00,pan,3.00,York,back\n1001,ann,2026-03-03 18:00,mug,5.00,,back\n"
    )
    done = imported(tmp_path, lines, RECEIPTS)

    assert orders(done) == {"1001": 1200, "1001@York": 300}
    assert sorted(refunds(done)) == [("1001", 500), ("1001@York", 300)]


def test_orders_of_one_store_are_as_they_were(tmp_path):
    done = imported(tmp_path, HEADER + LEEDS + YORK.replace("1001", "1002"), RECEIPTS)

    assert orders(done) == {"1001": 1200, "1002": 300}
    assert "stores" not in sentences(done)


def test_without_a_column_of_stores_numbers_of_several_customers_are_said(tmp_path):
    mapping = RECEIPTS.replace('affiliation = "Store?"\n', "")
    lines = HEADER + LEEDS + YORK.replace("ann", "bob") + "1002,ann,2026-03-02 10:00,mug,1.00,Leeds\n"
    done = imported(tmp_path, lines, mapping)

    assert "order numbers of several customers on one day: 1, such as '1001'" in sentences(done, mapping)
    assert 'order = "Store+Receipt"' in sentences(done, mapping)


def test_a_number_that_comes_again_another_day_is_no_reason_for_it(tmp_path):
    mapping = RECEIPTS.replace('affiliation = "Store?"\n', "")
    done = imported(tmp_path, HEADER + LEEDS + YORK.replace("ann", "bob").replace("03-02", "03-04"), mapping)

    assert "several customers" not in sentences(done, mapping)


def proposed(folder, lines):
    path = folder / "tills.csv"
    path.write_text(HEADER + lines)
    text = suggested_mapping(path, as_json=False)
    return parse_mapping(text, "proposed"), Imported(text, path)


def test_a_proposal_has_the_store_in_the_number_where_stores_count_by_themselves(tmp_path):
    mapping, done = proposed(tmp_path, LEEDS + YORK + "1002,bob,2026-03-02 10:00,mug,1.00,York\n")

    assert mapping.columns["order"] == "Store+Receipt"
    assert orders(done) == {"Leeds-1001": 1200, "York-1001": 300, "York-1002": 100}


def test_else_the_store_is_kept_beside_the_number(tmp_path):
    mapping, done = proposed(tmp_path, LEEDS + YORK.replace("1001", "1002"))

    assert (mapping.columns["order"], mapping.columns["affiliation"]) == ("Receipt", "Store")
    assert orders(done) == {"1001": 1200, "1002": 300}
