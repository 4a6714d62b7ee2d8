"""An export with one line for each status of an order, and what its orders are worth in the end."""

from tests.support.importing import orders, refunds

HISTORY = """
source = "/shop"
[columns]
order = "order"
customer = "customer"
time = "time"
event = "status"
product = "product"
quantity = "quantity"
line_total = "amount"
updated = "updated?"
status = "shipment?"
[constants]
currency = "EUR"
quantity = "1"
[returns]
whole_orders = ["Refunded"]
[events]
Pending = "ignore"
Paid = "purchase.completed"
Shipped = "purchase.completed"
Delivered = "purchase.completed"
Refunded = "purchase.completed"
Cancelled = "purchase.cancelled"
"""
HEADER = "order,customer,time,status,product,quantity,amount\n"
WITH_UPDATED = "order,customer,time,status,product,quantity,amount,updated\n"


def line(status, product="mug", amount="10.00", day=1, order=1, quantity=1):
    return f"{order},ann,2026-03-{day:02},{status},{product},{quantity},{amount}\n"


def live(done):
    """What counts of each order in the end: paid less refunded, without cancelled orders."""
    gone = {event["data"]["order_id"] for event in done.of("purchase.cancelled")}
    left = {number: paid for number, paid in orders(done).items() if number not in gone}
    for number, back in refunds(done):
        left[number] -= back
    return left


def is_accounted_for(done):
    lines = done.summary.as_dict()["lines"]
    return lines.pop("in") == sum(lines.values())
