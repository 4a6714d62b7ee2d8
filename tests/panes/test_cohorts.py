"""Who first bought in one month, and bought in the months after it: as a heat map."""

import re

from stream.panes.kept import cohort_map
from tests.support.narrow import not_none


def test_a_month_that_is_not_over_is_hatched_and_in_no_average():
    cohorts = [
        {"month": "2026-01", "customers": 100, "bought": [100, 50, 10]},
        {"month": "2026-02", "customers": 300, "bought": [300, 30]},
    ]

    shown = cohort_map(cohorts)

    january, everybody = (
        not_none(re.search(rf"<th scope=row>{name}.*?</tr>", shown))[0]
        for name in ("January 2026", "everybody")
    )
    assert re.findall(r'<td class="(.*?)">(.*?)</td>', january) == [("g5", "50%"), ("g1 running", "10%")]
    assert re.findall(r'<td class="(.*?)">(.*?)</td>', everybody) == [("g5", "50%"), ("", "")]


def test_the_month_in_which_the_history_begins_is_no_whole_one_and_in_no_average():
    shown = cohort_map(
        [
            {"month": "2026-01", "from_day": 20, "customers": 100, "bought": [100, 90, 90]},
            {"month": "2026-02", "from_day": 1, "customers": 30, "bought": [30, 3]},
        ]
    )
    everybody = not_none(re.search(r"<th scope=row>everybody.*?</tr>", shown))[0]

    assert "January 2026, from day 20 (100)" in shown
    assert "The history begins on day 20 of January 2026: that month is no whole one" in shown
    assert "90%" not in everybody


def test_a_last_month_that_is_over_is_a_whole_one():
    shown = cohort_map([{"month": "2026-01", "customers": 100, "bought": [100, 50], "is_over": True}])

    assert "running" not in shown.partition("</table>")[0]
    assert shown.count("50%") == 2


def test_shares_of_fewer_than_twenty_are_told_as_counts():
    shown = cohort_map(
        [
            {"month": "2026-01", "customers": 19, "bought": [19, 5], "is_over": True},
            {"month": "2026-02", "customers": 20, "bought": [20, 5], "is_over": True},
        ]
    )

    assert ">5 of 19</td>" in shown
    assert ">25%</td>" in shown
