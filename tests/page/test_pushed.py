"""The page of the demo: what its worker writes is handed over, and shown while the year is played."""

import urllib.request

import pytest

from stream.commands.demo_page import DemoPage, has_desktop
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.page.live.actions import ActionError, Remark
from stream.page.live.pushed import PushedShop
from stream.page.screens.open_list import today_filters
from stream.page.screens.today import today
from stream.page.store.sqlite import SqliteStore
from stream.wire import encode_alert
from tests.support.builders import basis
from tests.support.live_shop import encoded_row, replayed_shop


@pytest.fixture(scope="module")
def shop():
    profiles, alerts = replayed_shop()
    rows = {profile.customer.encode(): encoded_row(profile) for profile in profiles}
    return rows, [(alert.subject.encode(), encode_alert(alert)) for alert in alerts]


@pytest.fixture
def pushed(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    yield PushedShop(store, basis(), "a test"), store
    store.close()


@pytest.fixture
def page():
    page = DemoPage(basis(), 0)
    page.open()
    yield page
    page.close()


def read(page, path=""):
    with urllib.request.urlopen(page.address + path) as answer:
        return answer.read().decode()


def test_what_is_handed_over_is_on_the_page_at_once(pushed, shop):
    running, store = pushed
    rows, alerts = shop
    before = running.revision

    running.push("profiles", [*rows.items()])
    running.push("alerts", alerts)
    running.look_again()

    with store.reading() as reading:
        screen = today(reading, today_filters({"kind": "churn_risk"}, running.view()), running.view())
        assert reading.one("SELECT COUNT(*) FROM customers")[0] == len(rows)
        assert reading.one("SELECT COUNT(*) FROM alerts")[0] == len(alerts)
        as_of = {row[0] for row in reading.rows("SELECT as_of_ms FROM customers")}
    assert screen.rows
    assert as_of == {running.view().as_of_ms}
    assert running.revision != before


def test_the_page_of_the_demo_is_served_and_ends_with_it(page, shop):
    rows, alerts = shop
    assert "No customer is known yet" in read(page)

    page.take(rows, alerts)
    page.finish()

    assert "Worst first" in read(page)
    assert "played to its end" in read(page, "live")


@pytest.mark.slow
def test_what_needs_the_whole_year_is_published_when_it_is_over(page, shop):
    rows, alerts = shop
    assert "the demo computes it when the year is over" in read(page, "won")
    for event in generated_events(Shop(customers=60, days=400), Disorder(), None):
        page.heard(event)

    page.take(rows, alerts)
    page.finish()

    assert page.studies.wait(120)
    assert page.studies.problem == ""
    assert "Who bought in one" in read(page, "kept")
    assert "bought for the first time" in read(page, "won")
    assert "demo computes" not in read(page, "policy")


@pytest.mark.slow
def test_a_study_that_cannot_be_made_is_told_in_its_own_words(page):
    page.finish()

    assert page.studies.wait(120)
    assert page.studies.problem.startswith("stream report: ")
    assert "the demo computes it" in read(page, "won")


@pytest.mark.slow
def test_a_demo_that_is_ended_ends_its_studies_and_keeps_nothing():
    page = DemoPage(basis(), 0)
    page.open()
    for event in generated_events(Shop(customers=60, days=400), Disorder(), None):
        page.heard(event)
    page.finish()

    page.close()

    assert page.studies.wait(0)
    assert not page.studies.folder.exists()


def test_a_second_demo_takes_another_port(page):
    other = DemoPage(basis(), int(page.address.rsplit(":", 1)[1].strip("/")))
    try:
        assert other.open() != page.address
    finally:
        other.close()


def test_what_is_remarked_is_kept_in_the_store(pushed, shop):
    running, store = pushed
    running.push("profiles", [*shop[0].items()])
    customer = next(iter(shop[0])).decode()

    running.say(Remark("never-staff", customer, "", "somebody"))

    with store.reading() as reading:
        assert reading.one("SELECT COUNT(*) FROM mutes WHERE customer = ?", [customer])[0] == 1
    with pytest.raises(ActionError):
        running.say(Remark("nonsense", customer, "", "somebody"))


@pytest.mark.parametrize(
    ("environment", "platform", "opens"),
    [({}, "linux", False), ({"DISPLAY": ":0"}, "linux", True), ({"WAYLAND_DISPLAY": "w"}, "linux", True),
     ({"DISPLAY": ""}, "linux", False), ({}, "darwin", True)],
)  # fmt: skip
def test_a_browser_is_opened_on_a_desktop_only(environment, platform, opens):
    assert has_desktop(environment, platform) is opens
