"""Tills that count from 1 each day: the mapping that the caution names is right, also in partial exports."""

import pytest

from tests.support.importing import imported, orders, refunds

TILL = """
source = "/till"
[columns]
order = "receipt"
customer = "customer"
time = "time"
product = "product"
line_total = "amount"
event = "what"
[constants]
currency = "EUR"
[time]
zone = "Europe/Berlin"
[events]
sale = "purchase.completed"
back = "purchase.refunded"
void = "purchase.cancelled"
[orders]
restarts_daily = true
"""
HEADER = "receipt,customer,time,product,amount,what,day\n"
MONDAY = (
    "1,ann,2026-03-02 09:00:00,mug,5.00,sale,Mon\n1,ann,2026-03-02 09:00:07,pot,7.00,sale,Mon\n"
    "2,ann,2026-03-02 23:50:00,pan,3.00,sale,Mon\n"
)
TUESDAY = "1,ann,2026-03-03 09:00:00,mug,5.00,sale,Tue\n2,ann,2026-03-03 00:10:00,cup,2.00,sale,Tue\n"
BY_COLUMNS = TILL.replace('order = "receipt"', 'order = "receipt+day"').partition("[orders]")[0]


def ids(done):
    return {event["id"] for event in done.of("purchase.completed")}


@pytest.mark.parametrize(
    ("mapping", "names"),
    [
        (TILL, ["1@2026-03-02", "2@2026-03-02", "2@2026-03-03", "1@2026-03-03"]),
        (BY_COLUMNS, ["1-Mon", "2-Mon", "2-Tue", "1-Tue"]),
    ],
)
def test_each_day_has_its_own_receipts(tmp_path, mapping, names):
    done = imported(tmp_path, HEADER + MONDAY + TUESDAY, mapping)

    assert orders(done) == dict(zip(names, [1200, 300, 200, 500], strict=True))
    assert (done.summary.orders_spread, done.summary.orders_restarted) == (0, 0)


@pytest.mark.parametrize("mapping", [TILL, BY_COLUMNS])
def test_a_partial_export_names_the_orders_as_the_whole_one_does(tmp_path, mapping):
    whole = imported(tmp_path, HEADER + MONDAY + TUESDAY, mapping)
    parts = [imported(tmp_path, HEADER + part, mapping) for part in (MONDAY, TUESDAY)]

    assert ids(parts[0]) | ids(parts[1]) == ids(whole)
    assert not ids(parts[0]) & ids(parts[1])


def test_without_it_the_same_number_of_two_days_is_one_order_and_told(tmp_path):
    done = imported(tmp_path, HEADER + MONDAY + TUESDAY, TILL.partition("[orders]")[0])

    assert done.summary.orders_spread == 1


def test_what_comes_later_stays_with_the_order_of_the_day_before_it(tmp_path):
    later = "1,ann,2026-03-09 09:00:00,mug,2.00,back,Mon\n2,ann,2026-03-09 09:00:00,,,void,Mon\n"
    done = imported(tmp_path, HEADER + MONDAY + TUESDAY + later, TILL)

    assert refunds(done) == [("1@2026-03-03", 200)]
    assert [event["data"]["order_id"] for event in done.of("purchase.cancelled")] == ["2@2026-03-03"]
