"""Numbers of two pages, or two tables, that mean two things say what each of them counts."""

import json

import msgspec
import pytest

from stream.core.judgement.basis import Basis
from stream.page.published import BY_THE_SAME, REPORT, Published
from stream.page.screens.digest import digest
from stream.page.screens.leaving.by_tier import play_text
from stream.page.web.pages import Pages, today_page
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

    for text in texts[1:]:
        shown, folded = text.split('<details class="other">')
        assert "was made by another" in shown
        assert BY_THE_SAME in shown
        assert "Development in 90 days" not in shown
        assert "Development in 90 days" in folded


def of_two_models(folder, view, to):
    """The report as if it was made by the model of the page, and by another."""
    numbers = {**not_none(Published(folder).report()), "policy": view.basis.policy.hash}
    for name, model in (("same", view.basis.model.version), ("other", "another")):
        (to / name).mkdir()
        (to / name / REPORT).write_text(json.dumps({**numbers, "model": model}))
    return [Published(to / name) for name in ("same", "other")]


def test_numbers_of_two_models_are_on_no_screen_together(shop, folder, tmp_path):
    store, view = shop
    same, other = of_two_models(folder, view, tmp_path)
    panes = {path: PANES[path] for path in ("/won", "/grown", "/kept")}
    with store.reading() as reading:
        for make in [today_page, *panes.values()]:
            own, folded = (make(Pages(view, None, each), reading, {})[0] for each in (same, other))
            assert '<details class="other">' not in own
            assert '<details class="other">' in folded
        mails = [digest(reading, view, not_none(each.report())) for each in (same, other)]

    assert len(mails[0].business) > 3
    assert len(mails[1].business) == 1
    assert "by another model than this mail" in mails[1].business[0]


def test_the_level_of_risk_is_written_as_all_percentages_are(numbers_of_risk):
    assert "the probability is 26% or more" in kept({**numbers_of_risk, "currency": "EUR", "zone": "UTC"})


def test_what_right_means_is_said_where_two_shares_of_it_stand(pane):
    text = pane("/policy")

    assert "Right is another question here than in the backtest below" in text


def test_the_rules_say_that_who_falls_below_a_tier_keeps_the_alert():
    lines = {section.title: section.lines for section in rule_sections(basis())}["All alerts"]

    assert any(
        line.startswith("The tier counts when an alert is raised: who falls below it later") for line in lines
    )


def test_the_play_of_a_reason_without_one_is_that_of_the_reason_it_is_like(shop):
    _, view = shop

    assert play_text("HISTORY", view) == "Remind them of what they usually buy."
    assert play_text("NO_SUCH_REASON", view) == ""
