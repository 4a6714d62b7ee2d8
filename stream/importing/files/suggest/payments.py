"""Exports of payments: a column of types tells payments, refunds, fees and transfers apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from stream.importing.files.suggest.column_names import simplified
from stream.importing.files.suggest.sample import ColumnSample
from stream.importing.files.suggest.time_formats import filled
from stream.importing.files.suggest.words import PAID, REFUNDED, STATUS_WORDS, is_status, word_of
from stream.toml_text import as_toml

REFERENCE_NAMES = (
    r"(reference|original|parent|related|initial)(txn|transaction|payment|charge|order|capture|psp)+"
    r"(id|no|number|ref|reference)?|(charge|paymentintent)(id)?"
)
"""Names of columns in which a refund names its payment."""
USUAL_MIN = 0.5
"""Share of the refund lines that must show what is proposed for them."""


class PaymentColumns(NamedTuple):
    """What a file of payments needs beside its columns."""

    of_refunds: dict[str, str]
    """Field -> column of lines that are refunds."""
    skip: dict[str, list[str]]
    """Column -> its texts that say that no money moved."""


def payment_columns(
    columns: ColumnSample, fields: Mapping[str, str], words: Mapping[str, str]
) -> PaymentColumns | None:
    """None for a file whose types name no refunds; `words`: texts of the column of types -> event type.

    A status that decides whether a line is skipped is no other status of an order.
    """
    if REFUNDED not in words.values() or fields.get("event") not in columns:
        return None
    kinds = [words.get(text.strip(), "") for text in columns[fields["event"]]]
    of_refunds = _reference(columns, fields, kinds) | _other_party(columns, fields, kinds)
    skip = {
        name: sorted({text for text in filled(cells) if STATUS_WORDS.get(word_of(text), PAID) != PAID})
        for name, cells in columns.items()
        if name not in _others(fields) and is_status(simplified(name)) and simplified(name) != "state"
    }
    return PaymentColumns(of_refunds, {name: texts for name, texts in skip.items() if texts})


def _others(fields: Mapping[str, str]) -> set[str]:
    return {column for field, column in fields.items() if field != "status"}


def payment_lines(found: PaymentColumns | None) -> list[str]:
    """The sections of the mapping."""
    lines: list[str] = []
    if found is not None and found.of_refunds:
        lines += ["", "[refund_columns] # on lines that are refunds"]
        lines += [f"{field} = {as_toml(column)}" for field, column in found.of_refunds.items()]
    if found is not None and found.skip:
        lines += ["", "[skip] # lines with these texts are ignored: nothing was paid, or not yet"]
        lines += [f"{as_toml(column)} = {as_toml(texts)}" for column, texts in found.skip.items()]
    return lines


def _reference(columns: ColumnSample, fields: Mapping[str, str], kinds: list[str]) -> dict[str, str]:
    for name, cells in columns.items():
        if name in fields.values() or not re.fullmatch(REFERENCE_NAMES, simplified(name)):
            continue
        of_refunds = [cell for cell, kind in zip(cells, kinds, strict=True) if kind == REFUNDED]
        if "order" in fields and len(filled(of_refunds)) >= USUAL_MIN * len(of_refunds) > 0:
            return {"order": name}
    return {}


def _other_party(columns: ColumnSample, fields: Mapping[str, str], kinds: list[str]) -> dict[str, str]:
    """Where money goes from one address to another, that of the customer is the second one on a refund."""
    sender = fields.get("customer", "")
    plain = simplified(sender)
    receiver = next((name for name in columns if simplified(name) == "to" + plain[4:]), None)
    if not plain.startswith("from") or receiver is None:
        return {}
    pairs = list(zip(kinds, columns[sender], columns[receiver], strict=True))
    shop = Counter(to for kind, _, to in pairs if kind == PAID and to.strip()).most_common(1)
    back = [by for kind, by, _ in pairs if kind == REFUNDED]
    is_ours = sum(bool(shop) and by == shop[0][0] for by in back)
    return {"customer": receiver} if is_ours >= USUAL_MIN * len(back) > 0 else {}
