"""In which currency customers are ranked and valued, and who is not: amounts of two are never compared."""

from __future__ import annotations

from stream.core.model.document import ModelError
from stream.core.model.record import Model
from stream.core.policy.policy import Policy

STAND_IN = "0e8772c625d863a1"
"""Version of the model that ships with the package. Until a model is fitted it stands in for any shop's, so
its money counts as that of whatever currency the customers pay in."""


def ranking_currency(policy: Policy, model: Model) -> str:
    """The currency of the policy, else that of the model's customers; empty: any, each customer in its own.

    ModelError when both name one, and not the same: cut-offs in yen say nothing of euros.
    """
    currency = policy.finance.currency
    if model.version == STAND_IN:
        return currency
    if currency and model.currency != currency:
        raise ModelError(
            f"the money of model {model.name} is in {model.currency}, the policy's in {currency} "
            "([finance] currency): fit a model with this policy"
        )
    return model.currency


def is_ranked(currency: str, ranking: str) -> bool:
    """Whether a customer whose money is in `currency` (empty: never bought) can be ranked in `ranking`."""
    return not ranking or currency == ranking or not currency
