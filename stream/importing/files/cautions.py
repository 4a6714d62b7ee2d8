"""What an import must say although every line was read: what the mapping leaves out, and what follows."""

from __future__ import annotations

from stream.importing.files.events.line_amounts import PRICES
from stream.importing.files.events.order_extras import ORDER_AMOUNTS
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.summary import ImportSummary

MONEY = {*PRICES, *ORDER_AMOUNTS} - {"refunded", "tax", "shipping", "discount"}
"""Fields of which at least one is needed to know what an order was worth."""
NO_MONEY = (
    "no column holds money: every order counts as 0, nobody has a value and no alert can follow; "
    "name the column of order_total, line_total or unit_price in [columns]"
)
NO_ORDER = (
    "no column holds the number of the order: each line counts as an order of its own, so frequency and "
    "basket are wrong where an order has several lines; name it in [columns] (order = ...)"
)
MANY_ORDERS = 20
"""From so many orders on, one customer for all of them is doubtful."""
CURRENCIES_NAMED = 6
NO_PRODUCT = "category or brand is mapped, but neither product nor name: they are kept with a product only"


def cautions(mapping: ColumnMapping, summary: ImportSummary) -> list[str]:
    """Sentences for people, the most important first; empty where there is nothing to say."""
    given = {*mapping.columns, *mapping.constants}
    found: list[str] = []
    if summary.in_orders:
        if not given & MONEY:
            found.append(NO_MONEY)
        elif not any(summary.orders_minor.values()):
            found.append(
                "every order in these files is worth 0: is it the right column that is mapped as money?"
            )
        if "order" not in given:
            found.append(NO_ORDER)
        if given & {"category", "brand"} and not given & {"product", "name"}:
            found.append(NO_PRODUCT)
        if summary.buyers == 1 and summary.orders_by_currency.total() >= MANY_ORDERS:
            found.append("all orders are of one customer: is it the right column that is mapped as customer?")
    found += _of_currencies(summary) + _of_texts(mapping, summary) + _of_programs(mapping, summary)
    if summary.parts_unknown:
        found.append(
            f"{summary.parts_unknown:,} orders were refunded in part, but no column says how much: "
            "they count in full; name the column in [columns] (refunded = ...)"
        )
    found += _of_numbers(mapping, summary) + _of_shared_numbers(mapping, summary) + _of_statuses(summary)
    found += _of_zeros(summary)
    if summary.refused_that_tell:
        found.append(
            f"{summary.refused_that_tell:,} rejected lines say something of their whole order, such as its "
            "total, which counts: the rejects file names it"
        )
    if summary.summed_per_line:
        found.append(
            f"{', '.join(summary.summed_per_line)} differ within an order: they are summed over its lines"
        )
    return found


def _of_texts(mapping: ColumnMapping, summary: ImportSummary) -> list[str]:
    found: list[str] = []
    if summary.mark_doubted:
        found.append(
            f"every amount with a decimal mark has three digits after it, such as {summary.mark_doubted!r}: "
            f"are these thousands? [money] says that {mapping.money.mark!r} is the decimal mark"
        )
    if summary.undecodable:
        found.append(
            f"texts like {summary.undecodable!r} are not in the encoding {mapping.file.encoding!r}: set "
            "encoding in [file] (stream import --suggest guesses it)"
        )
    return found


def _of_programs(mapping: ColumnMapping, summary: ImportSummary) -> list[str]:
    opened = summary.by_programs["engagement.message_opened"]
    clicked = summary.by_programs["engagement.message_clicked"]
    counts = [f"{opened:,} openings"] if opened else []
    counts += [f"{clicked:,} clicks"] if clicked else []
    if not counts:
        return []
    where = (
        f"as {mapping.columns['bot'].rstrip('?')!r} says" if "bot" in mapping.columns else "by [constants]"
    )
    return [
        f"{' and '.join(counts)} of messages were made by a program ({where}), such as a mail scanner or the "
        "privacy protection of Apple Mail: they are kept, but are no sign of life and count as no engagement"
    ]


def _of_numbers(mapping: ColumnMapping, summary: ImportSummary) -> list[str]:
    found: list[str] = []
    order = mapping.columns.get("order", "").partition("|")[0].rstrip("?")
    remedy = (
        "set restarts_daily = true in [orders], or let the order be several columns "
        f'(order = "{order}+Day", of a day without a clock)'
    )
    if summary.orders_restarted:
        found.append(
            f"{summary.orders_restarted:,} order numbers start again after more than "
            f"{mapping.orders.restarts_after_days} days: they count as several orders "
            "([orders] restarts_after_days). An export of a part of the time names them otherwise, and they "
            f"would count twice: where there is one, {remedy}"
        )
    if summary.orders_spread:
        found.append(
            f"{summary.orders_spread:,} order numbers have lines half a day or more apart, and count as one "
            f"order each: where numbers begin again each day, {remedy}"
        )
    return found


def _of_shared_numbers(mapping: ColumnMapping, summary: ImportSummary) -> list[str]:
    found: list[str] = []
    shared, order = summary.shared_numbers, mapping.columns.get("order", "").rstrip("?")
    if shared.shared:
        found.append(
            f"order numbers of several customers on one day: {shared.counted}, such as {shared.example!r}; "
            "each customer's is an order of its own. Where every store or till counts by itself, two "
            "orders of one customer under one number would be one: name the column of the store, "
            f'order = "Store+{order}"'
        )
    if summary.orders_by_store:
        found.append(
            f"order numbers of one customer in two stores ({mapping.columns['affiliation'].rstrip('?')!r}): "
            f"{summary.orders_by_store:,}; they are two orders each, the later one named "
            "with its store. An export of one store alone would name it otherwise, and it would count twice: "
            f'where there is one, set order = "{mapping.columns["affiliation"].rstrip("?")}+{order}"'
        )
    return found


def _of_zeros(summary: ImportSummary) -> list[str]:
    found: list[str] = []
    for doubt, what, twice, remedy in (
        (summary.customer_zeros, "customer ids", "each is two customers", "id_width = {} in [customer]"),
        (summary.order_zeros, "order numbers", "each is two orders", "number_width = {} in [orders]"),
    ):
        if doubt.count:
            long, short = doubt.example
            found.append(
                f"{what} written with and without zeros in front: {doubt.counted}, such as {long!r} and "
                f"{short!r}; {twice} here. A spreadsheet cuts such zeros; where they are the same, set "
                f"{remedy.format(doubt.width)}, which puts them back"
            )
    return found


def _of_statuses(summary: ImportSummary) -> list[str]:
    found: list[str] = []
    if summary.later_statuses:
        found.append(
            f"{summary.later_statuses:,} lines differ from one of their order in status only: they are one "
            "line, and the latest status counts; where each is a piece of its own, set "
            'status_lines = "each" in [orders]'
        )
    if summary.amounts_differ:
        found.append(
            f"{summary.amounts_differ:,} orders have lines of one product that differ in status and in "
            "amount: all of them count; is an amount changed there when the status does?"
        )
    if summary.revived_by_place:
        found.append(
            f"{summary.revived_by_place:,} orders count although a line says cancelled, since another stands "
            "below it: where the newest line is at the top, name the time of the change in [columns] "
            "(updated = ...)"
        )
    return found


def _of_currencies(summary: ImportSummary) -> list[str]:
    codes = [code for code, _ in summary.orders_by_currency.most_common()]
    if len(codes) < 2:
        return []
    named = f"{', '.join(codes[:CURRENCIES_NAMED])}{', ...' if len(codes) > CURRENCIES_NAMED else ''}"
    return [
        f"orders are in {len(codes)} currencies: their money is not added or compared, unless the policy "
        f"names one of them and what the others are worth in it ([finance] currency and rates): {named}"
    ]
