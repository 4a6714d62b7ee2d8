"""Numbers as people say them: those of the core, which alerts use as well."""

from stream.core.alerts.amounts import (
    CURRENCY_SIGNS,
    NEUTRAL_BELOW,
    VERY_FROM,
    count,
    date,
    days,
    every,
    listed,
    money,
    month_names,
    month_of_year,
    month_text,
    months_words,
    most_bring,
    sentiment_word,
    share,
)

__all__ = [
    "CURRENCY_SIGNS",
    "NEUTRAL_BELOW",
    "VERY_FROM",
    "count",
    "date",
    "days",
    "every",
    "listed",
    "money",
    "month_names",
    "month_of_year",
    "month_text",
    "months_words",
    "most_bring",
    "sentiment_word",
    "share",
]
