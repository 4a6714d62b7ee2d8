"""Reasons of alerts as what many customers have in common, for tables."""

REASON_NAMES = {
    "SILENT_BEYOND_RHYTHM": "silent for longer than their own rhythm",
    "RISK_OF_NO_PURCHASE": "not late yet, but likely not to buy again in their usual time",
    "FADING_ENGAGEMENT": "visits and clicks have faded",
    "SENTIMENT_LOW": "bad feedback",
    "SENTIMENT_DROP": "feedback worse than before",
    "DETRACTOR": "would not recommend us",
    "TICKET_UNRESOLVED": "a ticket or complaint is not resolved",
    "RETURNS": "send much of what they buy back",
    "HISTORY": "customers with such a history often leave",
    "NEAR_NEXT_TIER": "little is missing to the next tier",
    "GROWING": "buy more than before",
    "CATEGORY_INTEREST": "look at a category without buying there",
    "PROMOTER": "recommend us",
}
"""Reason code -> words."""
