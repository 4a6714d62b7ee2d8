"""Why no alert is open about a customer: none is due, or one is held back, and by what."""

from msgspec.structs import replace

from stream.core.facts.profile import Episode, Judgement
from stream.page.entries import customer_entry, profile_entry
from stream.page.screens.one_customer.screen import customer_screen
from stream.page.screens.view import View
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import Pages, customer_page
from tests.support.builders import at, basis, bought
from tests.support.laws import lived
from tests.support.narrow import not_none

VIEW = View(basis(), at(200), "a test", True)


def page_of(judgement, folder) -> str:
    profile = lived([bought(7 * number) for number in range(20)], basis())[0]
    profile.judgement = replace(profile.judgement, episodes=judgement.episodes)
    store = SqliteStore(folder / "store.db")
    store.open_for("x")
    entry = customer_entry(profile, VIEW.as_of_ms, VIEW.basis)
    store.write(Batch(customers=[entry], profiles=[profile_entry(profile)]))
    with store.reading() as reading:
        html, _, _ = customer_page(Pages(VIEW), reading, {"id": profile.customer})
    store.close()
    return html


def test_a_customer_whose_alert_expired_is_said_to_need_more_than_nothing(tmp_path):
    expired = Episode("idle", 2, closed_ms=at(150), armed=False)
    html = page_of(
        Judgement(episodes={"churn_risk": expired, "upgrade_opportunity": Episode("idle", 1)}), tmp_path
    )

    assert "nothing needs to be done" not in html
    assert "Customer likely to leave: no alert is raised, because" in html
    assert "an alert was open until it expired, and their score has not been low since" in html
    assert "the last one ended on 30 May 2024" in html
    assert "Ready for the next tier" not in html


def test_a_customer_of_whom_nothing_is_held_back_fulfils_no_rule(tmp_path):
    html = page_of(Judgement(), tmp_path)

    assert "No alert is open, and none is held back: they fulfil " in html


def test_every_kind_that_is_held_back_has_its_line(shop):
    store, view = shop
    held = 0
    with store.reading() as reading:
        for (customer,) in reading.rows("SELECT customer FROM customers WHERE held <> ''"):
            screen = not_none(customer_screen(reading, customer, view))
            held += len(screen.not_raised)
            assert screen.not_raised
    assert held
