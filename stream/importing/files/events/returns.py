"""Returns are matched with the customer's latest earlier order that has enough pieces of the product left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct, structs

from stream.core.events.event import Event, PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.events.payload import Cancellation, Refund
from stream.importing.files.events.event_ids import event_id, event_time
from stream.importing.files.events.line_values import LineRejection
from stream.importing.files.events.order_extras import (
    ADDED,
    CREDIT_TOTAL,
    PART_REFUND,
    REFUNDED_AT,
    WHOLE_REFUND,
)
from stream.importing.files.events.order_line import OrderLine
from stream.importing.files.events.purchases import OrderDraft, products, purchase_event
from stream.importing.files.events.repeats import Reject
from stream.importing.files.mapping.mapping import ColumnMapping

UNMATCHED = "unmatched-"
"""Prefix of the order id of a refund whose order is unknown; the number of the credit note follows."""
REFUND_AMOUNTS = ("refunded", CREDIT_TOTAL, "order_total", "goods_total")
"""Fields that say how much a refund event gives back, in this order."""


class HeldPieces(Struct):
    """Pieces of one product from one order that the customer has not returned yet."""

    order: str
    currency: str
    pieces: int


class PaidOrder(Struct):
    """What is left of the amount of an order."""

    currency: str
    left_minor: int
    paid_minor: int


class RefundMatcher:
    """Turns the history of one customer into purchases and refunds."""

    def __init__(self, mapping: ColumnMapping, reject: Reject) -> None:
        self._mapping = mapping
        self._reject = reject
        self.unknown_parts = 0
        """Orders of which a part went back that no amount says."""
        self.cancelled_minor: Counter[str] = Counter()
        """Currency -> what was paid for orders that were cancelled, minor units."""

    def events(self, history: Iterable[OrderDraft], *, returns: bool) -> Iterator[Event]:
        """The events of one customer, whose drafts are sorted by time, purchases before refunds.

        `returns`: whether there are refunds among them; without any, no pieces are counted.
        """
        self._held: dict[str, list[HeldPieces]] = defaultdict(list)
        self._paid: dict[str, PaidOrder] = {}
        self._names: set[str] = set()
        for draft in history:
            if draft.cancelled:
                yield self._cancellation(draft)
                continue
            if draft.returned:
                yield from self._refunds(draft)
                continue
            purchase = purchase_event(draft, self._mapping.source)
            yield purchase
            if returns:
                self._hold(draft, purchase)
            if draft.extras:
                yield from self._refund_beside(draft, purchase)

    def _cancellation(self, draft: OrderDraft) -> Event:
        if (paid := self._paid.pop(draft.order, None)) is not None:
            self.cancelled_minor[paid.currency] += paid.paid_minor
        for held in self._held.values():
            held[:] = [one for one in held if one.order != draft.order]
        return PurchaseCancelled(
            id=event_id("cancellation", draft.order, draft.customer),
            source=self._mapping.source,
            subject=draft.customer,
            time=event_time(draft.time_ms),
            data=Cancellation(order_id=draft.order, reason=draft.extras.get("reason")),
        )

    def _hold(self, draft: OrderDraft, purchase: PurchaseCompleted) -> None:
        """Remember what of an order may go back."""
        for line in draft.lines:
            self._held[line.product].append(HeldPieces(draft.order, draft.currency, line.quantity))
        paid_minor = purchase.data.total_minor
        self._paid[draft.order] = PaidOrder(draft.currency, paid_minor, paid_minor)

    def _refund_beside(self, draft: OrderDraft, purchase: PurchaseCompleted) -> Iterator[Event]:
        """Where an export has the refund only as an amount or a status, it gets the time of its order."""
        amount = draft.extras.get("refunded")
        if amount is None and draft.extras.get(WHOLE_REFUND):
            amount = purchase.data.total_minor
        self.unknown_parts += amount is None and PART_REFUND in draft.extras
        if not amount:
            return
        refund = Refund(
            refund_id=self._new_name(draft, "amount"),
            order_id=draft.order,
            refund_minor=amount,
            currency=draft.currency,
        )
        self._take(refund)
        at_ms = max(draft.time_ms, draft.extras.get(REFUNDED_AT, 0))
        yield self._event(structs.replace(draft, time_ms=at_ms), refund)

    def _refunds(self, draft: OrderDraft) -> Iterator[Event]:
        """One refund for each order that the returned lines belong to."""
        if draft.direct:
            yield from self._direct(draft)
            return
        by_order: dict[str, list[OrderLine]] = defaultdict(list)
        for line in draft.lines:
            order = self._matching_order(line)
            if order is None and self._mapping.returns.unmatched == "reject":
                detail = f"no earlier order with {line.quantity} of {line.product}"
                self._reject(line, LineRejection("return_unmatched", detail))
                continue
            by_order[order or UNMATCHED + draft.order].append(line)
        for number, (order, lines) in enumerate(by_order.items()):
            amount = _amount_back(draft, lines, first=number == 0, only=len(by_order) == 1)
            yield self._refund(draft, order, lines, self._new_name(draft, str(draft.time_ms)), amount)

    def _direct(self, draft: OrderDraft) -> Iterator[Event]:
        """A row that is a refund event of the order it names."""
        amounts = [draft.extras[field] for field in REFUND_AMOUNTS if field in draft.extras]
        paid = self._paid.get(draft.order)
        if amounts:
            amount = amounts[0]
        elif WHOLE_REFUND not in draft.extras:
            amount = _amount_back(draft, draft.lines, first=True, only=True)
        elif paid is not None and paid.left_minor > 0:
            amount = paid.left_minor
            draft = structs.replace(draft, currency=paid.currency)
        else:
            known = "nothing is left of" if paid is not None else "no earlier line has"
            why = f"a refund without an amount, and {known} order {draft.order}"
            for line in draft.lines:
                self._reject(line, LineRejection("refund_without_amount", why))
            return
        name = draft.extras.get("id") or self._new_name(draft, str(draft.time_ms))
        yield self._refund(draft, draft.order, draft.lines, name, amount)

    def _matching_order(self, line: OrderLine) -> str | None:
        """The order whose number is that of the credit note without its prefix; else the latest that fits."""
        named = line.order.removeprefix(self._mapping.returns.order_prefix)
        held = self._held[line.product]
        fits = [one for one in held if one.pieces >= line.quantity and one.currency == line.currency]
        if not fits:
            paid = self._paid.get(named)
            return named if paid and not line.product and paid.currency == line.currency else None
        chosen = next((one for one in fits if one.order == named), fits[-1])
        chosen.pieces -= line.quantity
        return chosen.order

    def _refund(self, draft: OrderDraft, order: str, lines: list[OrderLine], name: str, amount: int) -> Event:
        refund = Refund(
            refund_id=name,
            order_id=order,
            refund_minor=amount,
            currency=draft.currency,
            products=products(lines),
            reason=draft.extras.get("reason"),
        )
        self._take(refund)
        return self._event(draft, refund)

    def _new_name(self, draft: OrderDraft, what: str) -> str:
        """The event id of a refund; further ones of the same order and time are numbered.

        It says nothing of the order that a return was found to fit, nor of other refunds: an export that
        begins later holds fewer of both.
        """
        names, number = ("refund", draft.order, draft.customer, what), 1
        name = event_id(*names)
        while name in self._names:
            number += 1
            name = event_id(*names, str(number))
        self._names.add(name)
        return name

    def _take(self, refund: Refund) -> None:
        if refund.order_id in self._paid:
            self._paid[refund.order_id].left_minor -= refund.refund_minor

    def _event(self, draft: OrderDraft, refund: Refund) -> Event:
        return PurchaseRefunded(
            id=refund.refund_id,
            source=self._mapping.source,
            subject=draft.customer,
            time=event_time(draft.time_ms),
            data=refund,
        )


def _amount_back(draft: OrderDraft, lines: list[OrderLine], *, first: bool, only: bool) -> int:
    """What the lines of a return are worth, with the tax, shipping and discount that belong to them.

    `only`: all returned lines of the draft belong to one order, so the total of the credit note is its
    amount; else what is true of the whole credit note goes to its `first` refund.
    """
    extras = draft.extras
    if only and CREDIT_TOTAL in extras:
        return int(extras[CREDIT_TOTAL])
    if only and draft.per_line and "order_total" in extras and len(draft.per_line) == len(ADDED):
        return int(extras["order_total"])
    amount = sum([line.total_minor for line in lines])
    for field in draft.per_line:
        of_lines = sum([(line.extras or {}).get(field, 0) for line in draft.lines])
        if extras.get(field, 0) == of_lines:
            amount += ADDED[field] * sum([(line.extras or {}).get(field, 0) for line in lines])
        elif first:
            amount += ADDED[field] * extras.get(field, 0)
    return max(amount, 0)
