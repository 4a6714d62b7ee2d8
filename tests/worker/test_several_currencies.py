"""A worker on purchases in several currencies: it decides as a replay, and says whose money is not added."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import Event, PurchaseCompleted
from stream.core.model.document import encode_model, sealed
from stream.metrics import NAMESPACE
from stream.model_file import default_model
from stream.replay.run import replay
from stream.wire import encode_alert
from tests.support.builders import basis, bought, refunded
from tests.support.pipe import Pipe, by_topic
from tests.support.strategies import of_customer

RATED = '[finance]\ncurrency = "USD"\nrates = { KWD = "3.25", EUR = "1.08" }\n'
IN_DOLLARS = '[finance]\ncurrency = "USD"\n'


def a_year(*currencies: str) -> list[Event]:
    """Customers who buy in any of these currencies, some of them in several, and fall silent one by one."""
    random = Random(7)
    events: list[Event] = []
    for number in range(24):
        own = random.choice(currencies)
        for day in range(number % 7, 40 + 12 * number, 6 + number % 5):
            currency = own if random.random() < 0.9 else random.choice(currencies)
            order = f"{number}-{day}"
            event = bought(day, random.randint(500, 60_000), order, currency=currency, event_id=f"b{order}")
            events.append(of_customer(event, f"c{number}"))
            if random.random() < 0.1:
                events.append(of_customer(refunded(day + 1, order, 300, event_id=f"r{order}"), f"c{number}"))
    return sorted(events, key=lambda event: event.time)


def fed(policy: str, life: list[Event]) -> Pipe:
    pipe = Pipe(guarded=False, judged_by=basis(policy))
    for topic, events in by_topic(life).items():
        pipe.arrive(topic, events)
    pipe.live()
    pipe.processor.end_batch(0.1)
    return pipe


def not_ranked(pipe: Pipe) -> float:
    registry = pipe.processor.counts._metrics.registry
    return registry.get_sample_value(f"{NAMESPACE}_purchases_not_ranked_total") or 0.0


@pytest.mark.parametrize("policy", ["", RATED, IN_DOLLARS])
def test_the_alerts_are_those_of_a_replay(policy):
    life = a_year("USD", "KWD", "EUR", "GBP")
    _, alerts = replay(life, basis(policy))

    assert alerts
    assert sorted(fed(policy, life).alerts()) == sorted(map(encode_alert, alerts))


def test_purchases_without_a_rate_are_counted_and_each_currency_is_named_once(caplog):
    life = a_year("USD", "KWD", "GBP")
    pipe = fed(RATED, life)
    in_pounds = sum(isinstance(one, PurchaseCompleted) and one.data.currency == "GBP" for one in life)

    assert not_ranked(pipe) == in_pounds > 0
    assert caplog.text.count("purchases in GBP are counted, but their money is not added to that in USD") == 1
    assert "KWD are" not in caplog.text


def test_one_currency_says_nothing(caplog):
    assert not_ranked(fed("", a_year("GBP"))) == 0.0
    assert caplog.text == ""


def test_the_shipped_model_without_a_currency_of_the_policy_says_what_it_compares(caplog):
    assert not_ranked(fed("", a_year("USD", "KWD"))) == 0.0
    assert caplog.text.count("purchases are in KWD, USD, and the shipped model compares customers as if") == 1


def test_a_worker_refuses_a_model_in_another_currency_in_one_line(tmp_path):
    model = sealed(msgspec.structs.replace(default_model(), currency="JPY", name="own", version=""))
    (tmp_path / "model.json").write_bytes(encode_model(model))
    (tmp_path / "policy.toml").write_text(RATED)
    files = {"STREAM_POLICY": str(tmp_path / "policy.toml"), "STREAM_MODEL": str(tmp_path / "model.json")}
    answer = CliRunner().invoke(main, ["worker"], env=files)

    assert answer.exit_code == 2
    assert answer.output == (
        "the money of model own is in JPY, the policy's in USD ([finance] currency): "
        "fit a model with this policy\n"
    )
