"""Invented sentences for generated feedback: English, about one theme, positive or negative."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

THEMES = ("delivery", "price", "quality", "service", "app", "returns")

NEGATIVE: Mapping[str, tuple[str, ...]] = {
    "delivery": (
        "The delivery was late again and nobody told me why.",
        "My parcel arrived damaged after two weeks of waiting. Terrible shipping.",
        "Third late delivery in a row, I am really disappointed.",
        "The courier left the package in the rain. Awful.",
        "Shipping took forever and the tracking was useless.",
    ),
    "price": (
        "Prices went up again, this is far too expensive now.",
        "Overpriced. I found the same thing much cheaper elsewhere.",
        "The hidden fees at the end are annoying and unfair.",
        "Not worth the money any more, sadly.",
        "The discount was not applied and I was charged too much. Bad.",
    ),
    "quality": (
        "It broke after two days. Poor quality.",
        "The material feels cheap and one part was defective.",
        "Worse than the last one I bought here, really disappointing quality.",
        "It arrived faulty and smells horrible.",
        "Badly made, the seams came apart at once.",
    ),
    "service": (
        "Customer service was rude and did not help at all.",
        "I waited an hour on the phone and support hung up. Terrible service.",
        "Nobody answers my emails. Awful support.",
        "The staff were unfriendly and useless.",
        "Support gave me three wrong answers. I am angry.",
    ),
    "app": (
        "The app crashes every time I try to pay. So frustrating.",
        "The website is slow and the checkout is broken.",
        "Since the update the app is awful, I cannot log in.",
        "The app lost my basket twice. Annoying bug.",
        "The website kept failing with an error at checkout.",
    ),
    "returns": (
        "I am still waiting for my refund after a month. Unacceptable.",
        "Returning it was a nightmare, the return label did not work.",
        "They refused my return without a reason. Bad experience.",
        "The refund was wrong and nobody fixed it.",
        "The returns process is slow and frustrating.",
    ),
}
POSITIVE: Mapping[str, tuple[str, ...]] = {
    "delivery": (
        "Fast delivery, it arrived a day early. Great!",
        "Delivery was quick and the parcel was well packed. Very happy.",
        "Excellent shipping, right on time.",
    ),
    "price": (
        "Great value for the price, I love it.",
        "A very good price and a nice discount too. Happy.",
        "Cheaper than elsewhere and just as good. Excellent value.",
    ),
    "quality": (
        "Excellent quality, well made and beautiful.",
        "The quality is superb, better than I hoped.",
        "Sturdy and perfect, I love the material.",
    ),
    "service": (
        "Friendly and helpful service, thank you!",
        "Support answered at once and solved it. Wonderful service.",
        "The staff were kind and very helpful.",
    ),
    "app": (
        "The app is easy to use and fast. Love it.",
        "Ordering on the website was quick and simple. Great.",
        "The app works perfectly, nice design.",
    ),
    "returns": (
        "The return was easy and the refund came quickly. Great.",
        "Simple returns, money back in two days. Happy.",
        "Exchanging it was free and easy. Excellent.",
    ),
}


def sentence(random: Random, theme: str, *, positive: bool) -> str:
    """One sentence about the theme."""
    return random.choice((POSITIVE if positive else NEGATIVE)[theme])


def rating(random: Random, *, positive: bool) -> float:
    """Stars from 1 to 5: four or five when positive, one or two when negative."""
    return float(random.choices((5, 4), (7, 3))[0] if positive else random.choices((1, 2), (6, 4))[0])
