"""What preceded the leaving of customers of each tier, in one sentence on the page Kept."""

import re
from typing import Any

import msgspec
import pytest

from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.units import DAY_MS
from stream.panes.left import left_by_tier
from stream.panes.report import business_page
from tests.support.builders import at, bought, complained, when
from tests.support.studies import report_of

CUSTOMERS, END = 40, 500


def days_of(number: int) -> list[int]:
    """Gold 33 and 34 slow down from day 200 on and stop at 300; silver 25 stops then without slowing down."""
    if number in (33, 34):
        return [*range(0, 200, 10), *range(200, 301, 20)]
    return [*range(0, 301, 10)] if number == 25 else [*range(0, END, 10)]


def shop() -> list[ev.Event]:
    """Each spends a fifth more than the last: 38 and 39 are platinum, 32 to 37 gold, 20 to 31 silver."""
    events: list[ev.Event] = [
        bought(day, round(1_000 * 1.2**number), customer=f"c{number:02d}", order=f"o{number}-{day}")
        for number in range(CUSTOMERS)
        for day in days_of(number)
    ]
    wrong = msgspec.structs.replace(complained(290, "t1"), subject="c33")
    visit = ev.SessionStarted(
        id="v", source="/shop", subject="c25", time=when(320), data=pl.Session(session_id="s")
    )
    return sorted([*events, wrong, visit], key=lambda one: one.time_ms)


def report(events: list[ev.Event]) -> dict[str, Any]:
    return report_of(events, at(END) // DAY_MS * DAY_MS)


@pytest.fixture(scope="module")
def numbers():
    return report(shop())


def sentence(numbers: dict[str, Any], tier: str) -> str:
    lines = re.findall(r"<p><b>(\w+)</b>: (.*?)</p>", left_by_tier(numbers))
    return str(dict(lines)[tier])


def test_what_preceded_is_counted_for_those_who_left_and_for_those_who_stayed(numbers):
    found = {one["tier"]: one for one in numbers["leaving"]}

    assert [(name, one["left"]["customers"], one["stayed"]["customers"]) for name, one in found.items()] == [
        ("bronze", 0, 20), ("silver", 1, 11), ("gold", 2, 4), ("platinum", 0, 2),
    ]  # fmt: skip
    gold, silver = found["gold"]["left"], found["silver"]["left"]
    assert (gold["slower"], gold["slower_known"]) == (2, 2)
    assert (gold["troubled"], gold["troubles"]) == (1, {"ticket or complaint": 1})
    assert (silver["slower"], silver["slower_known"], silver["active_after"]) == (0, 1, 1)
    assert found["gold"]["stayed"]["troubled"] == 0


def test_each_tier_has_a_sentence_of_how_many_left_what_preceded_and_whether_a_cause_is_known(numbers):
    assert sentence(numbers, "gold").startswith(
        "2 of 6 customers have left; before that 2 of 2 had been buying less (of those who stayed 0 of 4); "
        "for 1 of 2 something went wrong (ticket or complaint 1) (of those who stayed 0 of 4)"
    )
    assert "no cause is known in these events" in sentence(numbers, "gold")
    assert sentence(numbers, "platinum").startswith("none of 2 customers have left")
    assert list(dict(re.findall(r"<p><b>(\w+)</b>(:)", left_by_tier(numbers)))) == [
        "platinum", "gold", "silver", "bronze",
    ]  # fmt: skip


def test_what_is_not_in_the_events_is_named_as_what_to_record(numbers):
    assert "Not in these events: what customers do with messages, reviews or surveys and refunds." in (
        left_by_tier(numbers)
    )
    purchases = report([one for one in shop() if type(one) is ev.PurchaseCompleted])
    text = left_by_tier(purchases)
    assert "visits or carts" in text
    assert "went wrong (" not in text.partition("Not in these events")[0]
    assert "still visited" not in text


def test_a_cause_that_was_found_of_the_tier_itself_is_its_answer(numbers):
    cause = {
        "tier": "gold", "name": "blamed delivery", "found": True, "odds_ratio": 4.0, "left_exposed": 0.5,
        "left_matched": 0.1, "low": 2.0, "high": 8.0, "exposed": 10, "occasions": 12, "play": "", "to_do": "",
    }  # fmt: skip

    shown = {**numbers, "drivers": [cause]}

    assert "what goes with leaving most clearly: blamed delivery" in sentence(shown, "gold")
    assert "one of several tiers together stands below" in sentence(shown, "silver")


def test_orders_that_fell_stand_in_the_sentence_of_the_tier(numbers):
    growth = [
        {**one, "orders_before": 55.26, "orders_now": 48.65} for one in numbers["development"]["growth"]
    ]
    shown = {**numbers, "development": {**numbers["development"], "growth": growth}}

    assert "order less: 48.6 times each in the last 90 days, 55.3 times in the 90 days before (-12%)" in (
        sentence(shown, "platinum")
    )


def test_a_report_of_an_earlier_version_has_no_such_sentences(numbers):
    older = {name: value for name, value in numbers.items() if name not in ("leaving", "recorded")}

    assert left_by_tier(older) == ""
    assert "Why customers leave or stay" in business_page(older)
