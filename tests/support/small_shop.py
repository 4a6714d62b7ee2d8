"""A CSV export of a small shop, as a person would have it."""

from __future__ import annotations


def small_shop() -> str:
    """Sixty customers who buy every week or two for up to a year, and leave one after the other."""
    lines = ["Date,Order,Customer,Product,Quantity,Unit price,Currency"]
    for day in range(360):
        for customer in range(60):
            if day % (7 + customer % 8) == customer % 7 and day < 60 + 5 * customer:
                date = f"2024-{1 + day // 30:02d}-{1 + day % 28:02d}"
                lines.append(f"{date},o{day}-{customer},c{customer},p{day % 9},{1 + day % 3},9.90,EUR")
    return "\n".join(lines) + "\n"
