"""What the heads of tables mean, in plain words: shown when one points at a head."""

from __future__ import annotations

_TIER = "Rank by recent spending, from bronze to platinum"
MEANINGS = {
    "tier": _TIER,
    "value tier": _TIER,
    "tier 90 days ago": _TIER,
    "tier 180 days ago": _TIER,
    "odds ratio (95% interval)": "2 means: for each customer who stayed, twice as many left as among similar "
    "customers. In brackets: where the true ratio may lie",
    "left after it": "Of those to whom it happened, how many left",
    "similar customers who left": "Of customers of the same tier, pace and silence to whom it did not happen",
    "right (90% interval)": "How many of the alerts came true. In brackets: where the true share may lie",
    "found": "Of the customers who were lost, how many had an alert before",
    "days early": "How long before a simple rule of silence the alerts came",
    "promised": "The probability that the alerts stated, on average",
    "expected to buy anyway": "How many would have come back without any action, by their risk then",
    "recent spending at risk": "What they spent, older purchases counting less: by half after 180 days",
    "times its cost": "What a customer is worth over what it cost to win them",
    "margin over cost": "The margin on the orders over what the campaign cost: above 1 it is covered",
    "worth its cost": "Whether it pays, as surely as the numbers say",
    "retention": "Of those who bought in one period, how many bought in the next as well",
    "smallest visible": "A difference that so many customers would show 8 times in 10",
}
"""Head of a column -> its meaning; heads of plain words have none."""
