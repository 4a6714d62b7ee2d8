"""A shop that exports everything every night, and once a part of it after three months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
FIRST_NIGHT, SECOND_NIGHT, THIRD_NIGHT, OVERLAP = 300, 301, 391, 20
"""Days of the shop that each night ends with; the third begins so many days before the second ended."""
HEADER = "what,customer,at,order,product,pieces,price,stars\n"
MAPPING = """
source = "/shop"
[columns]
event = "what"
customer = "customer"
time = "at"
order = "order"
product = "product"
quantity = "pieces"
unit_price = "price"
rating = "stars"
[constants]
currency = "EUR"
[events]
sale = "purchase.completed"
back = "purchase.refunded"
void = "purchase.cancelled"
look = "engagement.product_viewed"
visit = "engagement.session_started"
stars = "feedback.reviewed"
"""


def lines_of(day: int) -> list[str]:
    """What the shop writes of one day: five customers, of whom the first buys and looks around most."""
    lines = []
    for number in range(5):
        at, who = (BEGIN + timedelta(days=day, minutes=number)).strftime("%Y-%m-%d %H:%M"), f"ann-{number}"
        if day % (2 + number) == 0:
            lines += [f"sale,{who},{at},{number}-{day},mug,1,{10 + day % 7}.00,"] * (1 + day % 2)
            lines.append(f"look,{who},{at},,mug,,,")
        if day % (20 + number) == 3 and day > 60:
            lines.append(f"back,{who},{at},{number}-{day - day % (2 + number)},mug,1,3.00,")
        if day % (30 + number) == 5:
            lines.append(f"void,{who},{at},{number}-{day - day % (2 + number)},,,,")
        if day % 3 == number % 3:
            lines.append(f"visit,{who},{at},,,,,")
        if day % 25 == number:
            lines.append(f"stars,{who},{at},,,,,{1 + day % 5}")
    return lines


def export(folder: Path, name: str, first: int, last: int) -> Path:
    path = folder / name
    days = (line for day in range(first, last) for line in lines_of(day))
    path.write_text(HEADER + "".join(f"{line}\n" for line in days))
    return path


NIGHTS = ((0, FIRST_NIGHT), (0, SECOND_NIGHT), (SECOND_NIGHT - OVERLAP, THIRD_NIGHT))
"""The first and the last day of each export."""
