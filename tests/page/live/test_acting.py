"""What people do about alerts on the page: each is read back from the control topic, none from elsewhere."""

import pytest

from stream.page.live.actions import NEVER_REASONS, OUTCOMES, SNOOZE_DAYS
from stream.wire import partition_of
from tests.support.kafka_shop import KafkaShop
from tests.support.live_forms import FormBrowser
from tests.support.live_shop import LiveDashboard, LiveShop, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
LIST = "?kind=churn_risk"


def at_risk(profiles):
    return [
        profile
        for profile in profiles
        if (episode := profile.judgement.episodes.get("churn_risk"))
        and episode.state in {"raised", "escalated"}
    ]


@pytest.fixture
def opened(shop, dashboard, replayed):
    """A page with customers at risk, and a person who looks at it."""
    shop.write_profiles(replayed[0])
    page = dashboard(dashboard_user_header="X-User").start()
    customers = [profile.customer for profile in at_risk(replayed[0])]
    assert len(customers) > 3
    return shop, page, FormBrowser(page.address), customers


def events(shop):
    return [(event["type"], event["subject"], event["data"]) for event in shop.controls()]


def test_seen_done_and_an_outcome_are_on_the_topic_and_on_every_page(opened):
    shop, page, ada, customers = opened
    first = ada.form("acknowledged", customers[0], LIST)

    status, text = ada.send(first, X_User="Ada")

    assert status == 200
    assert "seen today by Ada" in text
    assert events(shop) == [
        ("action.acknowledged", customers[0], {"alert_id": first["alert"], "actor": "Ada"})
    ]
    bo = FormBrowser(page.address)
    assert "seen today by Ada" in bo.page(LIST)
    bo.send(bo.form("taken", customers[0], LIST), X_User="Bo")
    for outcome, customer in zip(OUTCOMES, customers, strict=False):
        ada.send(ada.form(outcome, customer, LIST), X_User="Ada")
    assert [kind for kind, _, _ in events(shop)] == ["action.acknowledged", "action.taken"] + [
        "action.outcome"
    ] * 3
    text = bo.page(LIST)
    for words in ("saved today by Ada", "lost today by Ada", "ignored today by Ada"):
        assert words in text


def test_events_are_keyed_by_customer_and_lie_where_murmur2_puts_them(opened):
    shop, _, ada, customers = opened
    for customer in customers[:4]:
        ada.send(ada.form("taken", customer, LIST))

    reading = KafkaShop.__new__(KafkaShop)
    reading.settings, reading.names = shop.settings, shop.names
    for message in reading.all_of("control"):
        assert message.key().decode() in customers
        assert message.partition() == partition_of(message.key(), shop.partitions)
        assert dict(message.headers())["content-type"].startswith(b"application/cloudevents+json")


def test_what_was_done_by_mistake_is_undone(opened):
    shop, _, ada, customers = opened
    ada.send(ada.form("taken", customers[0], LIST))

    _, text = ada.send(ada.form("undone", customers[0], LIST), X_User="Bo")

    (_, _, taken), (kind, _, undone) = events(shop)
    assert (kind, undone["undoes"], undone["actor"]) == ("action.undone", "taken", "Bo")
    assert undone["event_id"] == shop.controls()[0]["id"]
    assert taken["alert_id"] == undone["alert_id"]
    assert "done today" not in text
    ada.form("taken", customers[0], LIST)


@pytest.mark.parametrize("says", ["snooze-30", "never-wholesale"])
def test_who_is_not_to_be_heard_of_leaves_the_list_and_comes_back(opened, says):
    shop, page, ada, customers = opened
    assert says in {*SNOOZE_DAYS, *NEVER_REASONS}

    _, text = ada.send(ada.form(says, customers[0], LIST), X_User="Ada")

    ((kind, subject, data),) = events(shop)
    assert (kind, subject) == ("action.muted", customers[0])
    assert ("until" in data) == says.startswith("snooze")
    assert f'data-key="{customers[0]}"' not in text
    assert "1 customer is left out" in text
    assert customers[0] not in page.body("today.csv?kind=churn_risk")
    own = f"customer?id={customers[0]}"
    assert "(by Ada)" in ada.page(own)
    ada.send(ada.form("unmuted", customers[0], own))
    assert f'data-key="{customers[0]}"' in ada.page(LIST)


def test_a_form_from_elsewhere_or_of_another_browser_changes_nothing(opened):
    shop, page, ada, customers = opened
    form = ada.form("taken", customers[0], LIST)
    mallory = FormBrowser(page.address)
    mallory.page()

    refused = [
        mallory.send(form),
        FormBrowser(page.address).send(form),
        ada.send({**form, "ticket": ""}),
        ada.send({**form, "ticket": "ü"}),
        ada.send(form, Origin="https://evil.example"),
        ada.send(form, Origin="null"),
        ada.send(form, Host="evil.example"),
        ada.send({**form, "says": "erased"}),
        ada.send({**form, "customer": ""}),
    ]

    assert [status for status, _ in refused] == [403] * 6 + [421, 400, 400]
    assert events(shop) == []
    assert ada.send(form, Origin=page.address.rstrip("/"))[0] == 200


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"]
)
def test_a_form_never_leads_to_another_site(opened, back):
    _, _, ada, customers = opened

    status, text = ada.send({**ada.form("acknowledged", customers[0], LIST), "back": back})

    assert status == 200
    assert "Who needs us today" in text


def test_while_kafka_is_away_it_is_said_that_perhaps_nothing_was_changed(
    own_broker, prefix, tmp_path, replayed
):
    shop = LiveShop(own_broker.bootstrap, prefix).make_topics()
    shop.write_profiles(replayed[0])
    page = LiveDashboard(shop, tmp_path / "store.db").start()
    try:
        ada = FormBrowser(page.address)
        form = ada.form("taken", at_risk(replayed[0])[0].customer, LIST)
        own_broker.kill()

        status, text = ada.send(form)

        assert status == 503
        assert "Perhaps nothing was changed" in text
        assert "it may have been taken" in text
        own_broker.start()
        wait_until(lambda: ada.send(form)[0] == 200, "it is taken again")
        assert len({event["id"] for event in shop.controls()}) == len(shop.controls())
    finally:
        page.close()
