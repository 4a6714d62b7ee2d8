"""What a customer spends, in plain words; money with the decimals of its currency."""

from __future__ import annotations

from stream.core.facts.interests import Interests
from stream.core.facts.purchases import Buying
from stream.core.facts.sums import Sums, priced_orders
from stream.wording.amounts import count, money, share

CHANGE_SHOWN_FROM = 0.05
"""Relative difference between recent and usual order values from which it is shown."""
NO_PRICE = "No order of theirs has a price: what they paid, and what they are worth, is not known."


def money_lines(buying: Buying) -> list[str]:
    """What was paid in all and for an order, refunds, discounts, and what is in another currency."""
    sums, currency = buying.sums, buying.currency
    priced = priced_orders(sums)
    if not sums.gross_minor:
        return [NO_PRICE] if sums.unpriced_orders else []
    basket = sums.gross_minor / priced
    paid = f"Has paid {money(sums.gross_minor, currency)} so far: {money(basket, currency)} per order"
    lines = [paid + _contents_words(sums) + "."]
    if sums.basket_weight and priced > 1 and basket:
        recent = sums.basket_sum / sums.basket_weight
        change = recent / basket - 1
        if abs(change) >= CHANGE_SHOWN_FROM:
            more = f"{share(abs(change))} {'more' if change > 0 else 'less'} than usual"
            lines.append(f"Recent orders are about {money(recent, currency)}, {more}.")
    if sums.refunded_minor:
        back, paid_minor = sums.refunded_minor, sums.gross_minor
        part = "more than they paid" if back > paid_minor else f"{share(back / paid_minor)} of what they paid"
        left = f"; less refunds they have paid {money(buying.net_minor, currency)}"
        lines.append(f"Refunds came to {money(back, currency)} ({part}){left}.")
    if sums.discount_minor:
        part = share(sums.discount_minor / (sums.gross_minor + sums.discount_minor))
        lines.append(f"Discounts came to {money(sums.discount_minor, currency)} ({part} of the full price).")
    if sums.foreign_orders:
        orders = count(sums.foreign_orders, "order")
        lines.append(f"{orders} in another currency, not included in these amounts.")
    if sums.foreign_refunds:
        refunds = count(sums.foreign_refunds, "refund")
        lines.append(f"{refunds} in another currency than their order, not taken off.")
    return lines


def _contents_words(sums: Sums) -> str:
    """What an order holds on average, as far as it is known."""
    parts = []
    if sums.units_known:
        parts.append(f"{sums.units / sums.units_known:.1f} items")
    if sums.mix_known:
        parts.append(f"from {sums.mix / sums.mix_known:.1f} categories")
    return f", for {' '.join(parts)} on average" if sums.units_known else ""


def price_lines(interests: Interests, own_currency: str) -> list[str]:
    """What is paid for one item; nothing where prices are in several currencies.

    `own_currency` is that of the customer's orders.
    """
    if not interests.units_priced or len(interests.currencies) > 1:
        return []
    currency = interests.currencies[0] if interests.currencies else own_currency
    usual = money(interests.spend_minor / interests.units_priced, currency)
    most = money(interests.unit_price_max_minor, currency)
    return [f"Pays {usual} per item on average, {most} at most."]
