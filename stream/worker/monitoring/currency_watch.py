"""Says in which currencies money is that cannot be compared: each once in the log, all in a metric."""

from __future__ import annotations

import logging

from stream.core.judgement.basis import Basis
from stream.core.judgement.ranking import is_ranked
from stream.metrics import Metrics

log = logging.getLogger("stream.worker")

NAMED_MAX = 16
"""So many currencies are named in the log: an event may state any three letters."""


class CurrencyWatch:
    """The currencies of the purchases of one worker."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._named: set[str] = set()
        self._compared: set[str] = set()

    def note(self, currency: str, purchases: int, basis: Basis) -> None:
        """So many purchases in a currency were applied and judged by a basis."""
        money, ranking = basis.meaning.money, basis.ranking
        counted = money.currency if currency in money.ratios else currency
        if not is_ranked(counted, ranking):
            self._metrics.purchases_not_ranked.add(purchases)
            remedy = "name" if money.currency else f'name currency = "{ranking}" and'
            self._name(
                currency,
                f"purchases in {currency} are counted, but their money is not added to that in {ranking}, "
                f"and customers who pay in it are not ranked: {remedy} its rate in [finance] of the policy",
            )
        elif not ranking and counted not in self._compared and len(self._compared) < NAMED_MAX:
            self._compared.add(counted)
            if len(self._compared) > 1:
                self._name(
                    currency,
                    f"purchases are in {', '.join(sorted(self._compared))}, and the shipped model compares "
                    "customers as if they all paid in one currency: name it and the rates of the others in "
                    "[finance] of the policy, or fit a model",
                )

    def _name(self, currency: str, words: str) -> None:
        if currency not in self._named and len(self._named) < NAMED_MAX:
            self._named.add(currency)
            log.warning(words)
