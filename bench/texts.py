"""Review and ticket texts: one to three sentences, each from a pool of generated ones.

Short texts repeat, as "works fine" does in a real shop; longer texts hardly ever do.
"""

from __future__ import annotations

import random

SUBJECTS = (
    "the delivery", "the coffee machine", "this jacket", "customer service", "the app", "the packaging",
    "the return process", "the checkout", "my order", "the loyalty programme", "the battery", "the fabric",
    "the size guide", "the courier", "the refund", "the newsletter", "the website", "this blender",
    "the price", "the manual", "the colour", "the support chat", "the store in town", "the subscription",
)  # fmt: skip
VERDICTS = (
    "was great", "is excellent value", "arrived two days late", "broke after a week",
    "was not what I expected",
    "works exactly as described", "is really comfortable", "was damaged on arrival",
    "is okay, nothing special",
    "could be better", "made my day", "was a complete waste of money", "is far too expensive now",
    "was quick and friendly", "never answered my emails", "is the best I have had so far", "was confusing",
    "is good but the old one was better", "was handled without any fuss", "still has not arrived",
    "is not bad at all", "was disappointing", "is perfect for my needs", "kept crashing on my phone",
)  # fmt: skip
CODAS = (
    "", " and I would buy it again", ", so I am looking elsewhere", " for the second time this year",
    ", thank you", ", very annoying", " as always", ", which surprised me", " - five stars", " - never again",
)  # fmt: skip


def sentence_pool(rng: random.Random) -> list[str]:
    """5,760 different sentences in random order."""
    pool = [
        f"{subject[0].upper()}{subject[1:]} {verdict}{coda}."
        for subject in SUBJECTS
        for verdict in VERDICTS
        for coda in CODAS
    ]
    rng.shuffle(pool)
    return pool


def text(rng: random.Random, pool: list[str]) -> str:
    """One to three sentences; the first ones of the pool are chosen more often."""
    count = 1 + (rng.random() < 0.55) + (rng.random() < 0.3)
    return " ".join(pool[int(len(pool) * rng.random() ** 2)] for _ in range(count))
