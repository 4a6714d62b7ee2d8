"""Money in the panes of the business report: with the decimals of its currency, and what is in another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.look.html import html_table, html_text
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.wording.amounts import money


def amount(minor: float | None, currency: str) -> str:
    """An amount with its currency; a dash where it is not known, as where no purchase has a price (the
    currency is empty then)."""
    return "–" if minor is None or not currency else money(minor, currency)


def priced(numbers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The numbers of a report; without a currency where no purchase has a price: nothing is worth 0."""
    return {**numbers, "currency": ""} if numbers["no_price"] else numbers


def money_words(numbers: Mapping[str, Any]) -> str:
    """What is to be known of the amounts on the page."""
    if numbers["no_price"]:
        return f"</p><p class=note>{html_text(NO_ALERT_EVER[0].upper() + NO_ALERT_EVER[1:])}."
    return f"Amounts are in {numbers['currency']}."


def currencies_part(numbers: Mapping[str, Any]) -> list[str]:
    """In which currency amounts are, who is not counted in it, and what was paid and spent in others."""
    notes = [f"<p><b>{html_text(note)}</b></p>" for note in numbers["currency_notes"]]
    if numbers["not_ranked"]:
        notes.append("<p>Customers who are not ranked are in no table below but that of retention.</p>")
    rows = [
        (code, amount(one["paid_minor"], code), amount(one["cost_minor"], code))
        for code, one in numbers["other_money"].items()
    ]
    head = ("currency", "paid, less refunds", "cost of campaigns")
    return [*notes, *(["<p>Not in any amount below:</p>", html_table(head, rows)] if rows else [])]
