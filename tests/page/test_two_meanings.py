"""Numbers of two pages, or two tables, that mean two things say what each of them counts."""

import msgspec
import pytest

from stream.core.judgement.basis import Basis
from stream.page.published import Published
from stream.page.screens.leaving.by_tier import play_text
from stream.page.web.pages import Pages
from stream.page.web.panes import PANES
from stream.panes.kept import kept
from stream.wording.policy import rule_sections
from tests.support.builders import basis
from tests.support.narrow import not_none


@pytest.fixture
def pane(shop, folder):
    store, view = shop

    def show(path):
        with store.reading() as reading:
            text, status, _ = PANES[path](Pages(view, None, Published(folder)), reading, {})
        assert status == 200
        return text

    return show


@pytest.fixture
def numbers_of_risk(folder):
    numbers = not_none(Published(folder).report())
    return {**numbers, "retention": {**numbers["retention"], "raise_at": 0.264524}}


@pytest.mark.parametrize("path", ["/won", "/grown", "/kept"])
def test_two_counts_by_tier_that_mean_two_things_say_so(pane, path):
    text = pane(path)

    assert "/customers?tier=" in text or "the tiers these had" in text
    assert "Tier: by recent spending on the day of the report" in text
    assert "keeps a tier until spending is well below its border" in text


def test_the_tier_of_who_left_is_that_of_before(pane):
    assert "The tier is that of the time when they still bought" in pane("/kept")


def test_a_report_by_another_model_than_that_of_the_page_says_so(shop, folder):
    store, view = shop
    other = msgspec.structs.replace(view.basis.model, version="another")

    with store.reading() as reading:
        texts = [
            PANES["/grown"](Pages(each, None, Published(folder)), reading, {})[0]
            for each in (view, msgspec.structs.replace(view, basis=Basis(view.basis.policy, other)))
        ]

    assert "This report was made by another model" in texts[1]


def test_the_level_of_risk_is_shown_as_finely_as_it_is_counted_with(numbers_of_risk):
    assert "the probability is 26.5% or more" in kept({**numbers_of_risk, "currency": "EUR", "zone": "UTC"})


def test_what_right_means_is_said_where_two_shares_of_it_stand(pane):
    text = pane("/policy")

    assert "Right is another question here than above" in text


def test_the_rules_say_that_who_falls_below_a_tier_keeps_the_alert():
    lines = {section.title: section.lines for section in rule_sections(basis())}["All alerts"]

    assert any(
        line.startswith("The tier counts when an alert is raised: who falls below it later") for line in lines
    )


def test_the_play_of_a_reason_without_one_is_that_of_the_reason_it_is_like(shop):
    _, view = shop

    assert play_text("HISTORY", view) == "Remind them of what they usually buy."
    assert play_text("NO_SUCH_REASON", view) == ""
