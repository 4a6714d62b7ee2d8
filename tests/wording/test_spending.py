"""What was paid and given back, in words."""

from __future__ import annotations

import pytest

from stream.core.facts.purchases import Buying
from stream.core.facts.sums import Sums
from stream.wording.spending import money_lines


@pytest.mark.parametrize(
    ("back_minor", "words"),
    [
        (250, "Refunds came to €2.50 (25% of what they paid); less refunds they have paid €7.50."),
        (1_000, "Refunds came to €10.00 (100% of what they paid); less refunds they have paid €0.00."),
        (2_000, "Refunds came to €20.00 (more than they paid); less refunds they have paid €0.00."),
    ],
)
def test_refunds_are_told_as_they_are(back_minor, words):
    sums = Sums(orders=1, days=1, gross_minor=1_000, refunded_minor=back_minor)

    assert words in money_lines(Buying(currency="EUR", sums=sums))
