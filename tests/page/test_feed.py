"""What the bar at the top says: the first that is wrong, in words, and nothing when all is well."""

from typing import Any

import pytest

from stream.page.live.feed import age, troubles
from stream.page.live.watch import Looked

NOW_MS = 1_800_000_000_000
INPUTS = {"shop.purchases": "purchases", "shop.engagement": "visits"}
WELL: dict[str, Any] = {
    "problem": "",
    "caught_up": True,
    "lag": 0,
    "behind_ms": 0,
    "inputs": INPUTS,
    "stall_after_ms": 3_600_000,
}


def test_nothing_is_said_when_all_is_well():
    newest = {"shop.purchases": NOW_MS - 1_000, "shop.engagement": NOW_MS}

    assert troubles(Looked(NOW_MS, newest_ms=newest), NOW_MS, **WELL) == []


@pytest.mark.parametrize(
    ("looked", "more", "words"),
    [
        (Looked(NOW_MS - 60_000, "timed out"), {}, "Kafka does not answer since 60 s"),
        (Looked(NOW_MS), {"problem": "the disk is full"}, "not kept up: the disk is full."),
        (Looked(NOW_MS), {"caught_up": False, "lag": 1_200}, "1,200 records to go"),
        (Looked(NOW_MS), {"lag": 1, "behind_ms": 60_000}, "1 record of news"),
        (Looked(NOW_MS, unprocessed=7, unmoved_since_ms=NOW_MS - 9_000), {}, "7 events wait to be judged"),
        (
            Looked(NOW_MS, newest_ms={"shop.purchases": NOW_MS - 7_200_000, "shop.engagement": NOW_MS}),
            {},
            "No purchases for 2 h while others arrive",
        ),
    ],
)
def test_what_is_wrong_is_told_within_ten_seconds_in_one_sentence(looked, more, words):
    found = troubles(looked, NOW_MS, **{**WELL, **more})

    assert len(found) == 1
    assert words in found[0]


def test_what_passes_within_seconds_is_not_told():
    looked = Looked(NOW_MS - 3_000, "timed out", unprocessed=5, unmoved_since_ms=NOW_MS - 4_000)

    assert troubles(looked, NOW_MS, **{**WELL, "lag": 9, "behind_ms": 2_000}) == []


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-5, "0 s ago"),
        (119_000, "119 s ago"),
        (120_000, "2 min ago"),
        (7_200_000, "2 h ago"),
        (2 * 86_400_000, "2 days ago"),
    ],
)
def test_ages_are_short(ms, words):
    assert age(ms) == words
