"""Words that shops write into a column of statuses or of events, and what they mean for the import."""

from __future__ import annotations

import re
from collections.abc import Iterable

PAID, CANCELLED, REFUNDED = "purchase.completed", "purchase.cancelled", "purchase.refunded"
STATUS_NAMES = (
    r"(order|financial|payment|sale|transaction|item|bestell|auftrags|zahlungs|invoice)?"
    r"(status|state|zustand)(id|name|text)?|statemachinestate|"
    r"(status|etat|estado|stato|statut|situacao)((de|do|du|del|dell|della|van)?(la|l|de)?"
    r"(pedido|commande|ordine|ordre|compra|venda|bestelling|pagamento|pago|paiement|betaling))?"
)
EVENT_NAMES = r"event(name|type)?|action|activity|interaction(type)?|behaviou?r(type)?|type"
TYPE_NAMES = (
    r"(transaction|payment|record|balancetransaction|entry|line|amount)?(type|kind|reportingcategory)|"
    r"eventtype|typ|art"
)
STATUS_WORDS = {
    **dict.fromkeys(
        ("paid", "completed", "complete", "processing", "shipped", "delivered", "fulfilled"), PAID
    ),
    **dict.fromkeys(
        ("closed", "succeeded", "success", "successful", "captured", "approved", "invoiced"), PAID
    ),
    **dict.fromkeys(("partially_paid", "authorized", "awaiting fulfillment", "awaiting shipment"), PAID),
    **dict.fromkeys(
        ("bezahlt", "abgeschlossen", "versendet", "geliefert", "versandt", "entregue", "pago"), PAID
    ),
    **dict.fromkeys(
        ("betaald", "voltooid", "verzonden", "afgerond", "payée", "payé", "terminée", "terminé", "expédié"),
        PAID,
    ),
    **dict.fromkeys(
        ("livré", "paiement accepté", "expédiée", "livrée", "pagado", "pagada", "completado"), PAID
    ),
    **dict.fromkeys(("enviado", "entregado", "pago aceptado", "concluído", "concluido", "pagato"), PAID),
    **dict.fromkeys(("completato", "spedito", "consegnato", "pagamento accettato", "erledigt"), PAID),
    **dict.fromkeys(
        ("processando", "procesando", "in lavorazione", "in behandeling", "wordt verwerkt"), PAID
    ),
    **dict.fromkeys(("en cours", "en cours de préparation", "préparation en cours", "fertiggestellt"), PAID),
    **dict.fromkeys(("komplett abgeschlossen", "komplett bezahlt", "komplett ausgeliefert"), PAID),
    **dict.fromkeys(("teilweise ausgeliefert", "teilweise abgeschlossen", "zur lieferung bereit"), PAID),
    **dict.fromkeys(("afgehandeld", "afgehandeld, verzonden", "afgehandeld, opgehaald"), PAID),
    **dict.fromkeys(("reembolsado", "reembolsada", "rückerstattet", "rimborsato", "terugbetaald"), PAID),
    **dict.fromkeys(("remboursé", "remboursée", "wiedergutschrift"), PAID),
    **dict.fromkeys(("refunded", "partially_refunded", "partially refunded", "erstattet", "returned"), PAID),
    **dict.fromkeys(
        ("cancelled", "canceled", "voided", "expired", "unavailable", "storniert", "abgebrochen"), CANCELLED
    ),
    **dict.fromkeys(
        ("cancelado", "cancelada", "annulé", "annulée", "annulato", "annullato", "geannuleerd"), CANCELLED
    ),
    "storniert / abgelehnt": CANCELLED,
    **dict.fromkeys(
        ("failure", "error", "failed", "declined", "incomplete", "payment due", "not paid", "posted"),
        "ignore",
    ),
    **dict.fromkeys(("awaiting pickup", "partially shipped", "in progress", "done", "in bearbeitung"), PAID),
    **dict.fromkeys(("teilweise bezahlt", "teilweise versandt", "versandt", "zugestellt"), PAID),
    **dict.fromkeys(("teilweise erstattet", "partial refund"), PAID),
    **dict.fromkeys(
        ("pending", "unpaid", "on hold", "on-hold", "onhold", "holded", "draft", "denied"), "ignore"
    ),
    **dict.fromkeys(
        ("pending payment", "pending_payment", "awaiting payment", "requires_payment_method"), "ignore"
    ),
    **dict.fromkeys(("checkout-draft", "trash"), "ignore"),
    **dict.fromkeys(("offen", "pendente", "created", "pendiente"), "ignore"),
    **dict.fromkeys(("pagamento pendente", "aguardando", "malsucedido", "zahlung ausstehend"), "ignore"),
    **dict.fromkeys(("in wartestellung", "fehlgeschlagen", "pendiente de pago", "en espera"), "ignore"),
    **dict.fromkeys(("fallido", "in attesa di pagamento", "fallito", "mislukt", "in de wacht"), "ignore"),
    **dict.fromkeys(("wacht op betaling", "wachtend op betaling", "niet betaald"), "ignore"),
    **dict.fromkeys(("attente paiement", "en attente de paiement", "échouée", "échoué"), "ignore"),
    **dict.fromkeys(("en attente du paiement par chèque", "erreur de paiement"), "ignore"),
    **dict.fromkeys(
        ("en attente du paiement par virement bancaire", "en attente de virement bancaire"), "ignore"
    ),
    **dict.fromkeys(("1. mahnung", "2. mahnung", "3. mahnung"), "ignore"),
    **dict.fromkeys(("en attente", "in attesa", "in afwachting", "unbezahlt", "in sospeso"), "ignore"),
}
"""Status of an order, in small letters -> event type, or `ignore` where nothing was paid yet."""
WHOLE_REFUNDS = {
    *("refunded", "erstattet", "returned", "reembolsado", "reembolsada", "rückerstattet", "rimborsato"),
    *("terugbetaald", "remboursé", "remboursée", "wiedergutschrift"),
}
PART_REFUNDS = {"partially_refunded", "partially refunded", "teilweise erstattet", "partial refund"}
EVENT_WORDS = {
    **dict.fromkeys(("view", "viewed", "pv", "page_view", "product_view"), "engagement.product_viewed"),
    **dict.fromkeys(("cart", "addtocart", "add_to_cart", "add to cart"), "engagement.product_added"),
    **dict.fromkeys(("remove_from_cart", "removefromcart"), "engagement.product_removed"),
    **dict.fromkeys(("fav", "wishlist", "add_to_wishlist"), "engagement.wishlisted"),
    **dict.fromkeys(("purchase", "purchased", "buy", "transaction", "order", "placed order"), PAID),
    **dict.fromkeys(("received email", "delivered"), "engagement.message_delivered"),
    **dict.fromkeys(("opened email", "open", "opened"), "engagement.message_opened"),
    **dict.fromkeys(("clicked email", "click", "clicked"), "engagement.message_clicked"),
    **dict.fromkeys(("bounced email", "bounce", "bounced"), "engagement.message_bounced"),
    **dict.fromkeys(("unsubscribed", "unsubscribe"), "engagement.message_unsubscribed"),
    **dict.fromkeys(("marked email as spam", "spamreport"), "engagement.message_complained"),
}
"""Value of a column of events, in small letters -> event type."""


TYPE_WORDS = {
    **dict.fromkeys(
        (
            *("payment", "charge", "sale", "order", "general payment", "mobile payment", "website payment"),
            *("express checkout payment", "ebay auction payment", "direct credit card payment"),
            *("subscription payment", "preapproved payment bill user payment", "recurring payment"),
            *("virtual terminal payment", "donation payment", "shopping cart payment", "payment received"),
            *(
                "capture",
                "checkout payment",
                "card payment",
                "invoice payment",
                "zahlung",
                "paiement",
                "pago",
            ),
        ),
        PAID,
    ),
    **dict.fromkeys(
        (
            *(
                "refund",
                "return",
                "payment refund",
                "partial refund",
                "payment reversal",
                "chargeback",
                "reversal",
            ),
            *("dispute", "payment_refund", "charge refund", "refunded", "erstattung", "rückzahlung"),
            *("remboursement", "reembolso"),
        ),
        REFUNDED,
    ),
    **dict.fromkeys(
        (
            *("other fee", "shipping label", "hold", "claim", "credit", "void", "authorisation"),
            *("fee", "fees", "stripe fee", "stripe_fee", "payment fee", "fee reversal", "chargeback fee"),
            *("payout", "transfer", "adjustment", "topup", "withdrawal", "general withdrawal", "deposit"),
            *("user initiated withdrawal", "withdraw funds to bank account", "bank deposit to pp account"),
            *("general card deposit", "general card withdrawal", "general currency conversion"),
            *("currency conversion", "general authorization", "authorization", "void of authorization"),
            *("account hold for open authorization", "reversal of general account hold", "general hold"),
            *("general hold release", "hold on balance for dispute investigation", "payment review hold"),
            *("cancellation of hold for dispute resolution", "payment review release", "mass pay payment"),
            *(
                "funds transfer",
                "general transfer",
                "payment hold",
                "payment release",
                "gebühr",
                "auszahlung",
            ),
        ),
        "ignore",
    ),
}
"""Type of a line in an export of payments, in small letters -> event type, or `ignore`."""


def meanings(cells: Iterable[str], words: dict[str, str]) -> dict[str, str]:
    """Each different text of a column with its meaning; empty where one of them is not known."""
    texts = sorted({cell.strip() for cell in cells if cell.strip()})
    found = {text: words[word_of(text)] for text in texts if word_of(text) in words}
    return found if texts and len(found) == len(texts) else {}


def word_of(text: str) -> str:
    """A status in small letters, without the `wc-` that WooCommerce puts before it in its database."""
    return text.strip().lower().removeprefix("wc-")


def of_payment(name: str) -> bool:
    """Whether a column is about the payment: of several statuses it says what was paid."""
    return re.search("pay|financ|transaction|zahl|pag", name.lower()) is not None


def is_status(name: str) -> bool:
    """Whether a simplified column name is that of a status."""
    return re.fullmatch(STATUS_NAMES, name) is not None


def is_type(name: str) -> bool:
    """Whether a simplified column name is that of the type of a payment."""
    return re.fullmatch(TYPE_NAMES, name) is not None


def is_event(name: str) -> bool:
    """Whether a simplified column name is that of a kind of event."""
    return re.fullmatch(EVENT_NAMES, name) is not None
