"""`stream import --to-kafka` into a running worker: several currencies, and orders that change each night."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import PurchaseCompleted
from stream.core.judgement.basis import Basis
from stream.model_file import default_model
from stream.policy_file import load_policy
from stream.replay.run import replay
from stream.wire.decode import decode_line
from tests.support.running_worker import WorkerKafka, WorkerProcess, assert_same_profiles, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

BEGIN = datetime(2025, 1, 1, 9, tzinfo=UTC)
CURRENCIES = ("EUR", "USD", "JPY", "KWD", "GBP")
POLICY = """
[finance]
currency = "EUR"
rates = {USD = "0.92", JPY = "0.0061", KWD = "2.98"}
"""
MAPPING = """
source = "/shop"
[columns]
order = "order"
customer = "customer"
time = "time"
event = "status"
updated = "updated"
currency = "currency"
order_total = "total"
[returns]
whole_orders = ["refunded"]
[events]
paid = "purchase.completed"
shipped = "purchase.completed"
refunded = "purchase.completed"
cancelled = "purchase.cancelled"
"""
COLUMNS = ("order", "customer", "time", "status", "updated", "currency", "total")


def written(folder, name, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    (folder / name).write_text(text.getvalue())
    (folder / "m.toml").write_text(MAPPING)
    return str(folder / name)


def run(kafka: WorkerKafka, folder, *words):
    options = ("--mapping", str(folder / "m.toml"), "--rejects", str(folder / "rejects.jsonl"), "--json")
    answer = CliRunner().invoke(main, ["import", *words, *options], env=kafka.environment)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout.splitlines()[-1])


def day_text(days):
    return (BEGIN + timedelta(days=days)).isoformat()


def test_purchases_in_several_currencies_become_the_profiles_of_replay(new_kafka, tmp_path):
    rows = [
        (
            f"o{day}-{n}",
            f"c{n}",
            day_text(day),
            "paid",
            "",
            CURRENCIES[(n + day // 90) % 5],
            f"{20 + n}.{day % 10}0",
        )
        for day in range(0, 400, 9)
        for n in range(10)
        if n % 3 or day < 200
    ]
    (tmp_path / "policy.toml").write_text(POLICY)
    path, kafka = written(tmp_path, "all.csv", rows), new_kafka()
    run(kafka, tmp_path, path, "--out", str(tmp_path / "events.jsonl"))
    end = tick(BEGIN + timedelta(days=460))

    with WorkerProcess(kafka, tmp_path / "log", policy=str(tmp_path / "policy.toml")) as worker:
        assert run(kafka, tmp_path, path, "--to-kafka")["sent"] == len(rows)
        kafka.send(end)
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    events = [event for line in lines if isinstance(event := decode_line(line), PurchaseCompleted)]
    wanted, alerts = replay([*events, end], Basis(load_policy(tmp_path / "policy.toml"), default_model()))
    assert {profile.buying.currency for profile in wanted.profiles.values()} >= {"EUR", "GBP"}
    assert alerts
    assert_same_profiles(kafka.profiles(), wanted.profiles)
    assert len(kafka.alerts()) == len(alerts)


class Order:
    """An order that is edited on the day after, and may be cancelled or refunded some days later."""

    def __init__(self, number):
        self.number, self.day, self.customer = number, number // 3, f"c{number % 5}"
        self.is_cancelled, self.is_refunded = number % 7 == 0, number % 11 == 0 and number % 7 != 0
        self.is_changed = number % 13 == 0

    def row(self, today):
        age = today - self.day
        status, since = ("shipped", self.day + 1) if age > 1 else ("paid", self.day)
        if age > 3 and self.is_cancelled:
            status, since = "cancelled", self.day + 3
        if age > 3 and self.is_refunded:
            status, since = "refunded", self.day + 3
        total = 30 if self.is_changed and age > 2 else 10
        return (
            f"o{self.number}",
            self.customer,
            day_text(self.day),
            status,
            day_text(since),
            "EUR",
            f"{total}.00",
        )

    def worth_minor(self, sent, now):
        """What counts in the night `now` of the total as it was in the night `sent`; None: cancelled."""
        if self.is_cancelled and now - self.day > 3:
            return None
        paid = 3_000 if self.is_changed and sent - self.day > 2 else 1_000
        return 0 if self.is_refunded and now - self.day > 3 else paid


NIGHTS = (40, 41, 43, 70, 130)
OVERLAP = 20


def test_nightly_exports_in_which_orders_change_count_nothing_twice(new_kafka, tmp_path):
    orders, kafka = [Order(number) for number in range(3 * NIGHTS[-1])], new_kafka()
    begins = (0, *(night - OVERLAP for night in NIGHTS[1:-1]), 0)
    nightly = ("--to-kafka", "--since-last", "--state", str(tmp_path / "sent.db"))

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        for begin, night in zip(begins, NIGHTS, strict=True):
            rows = [one.row(night) for one in orders if begin <= one.day <= night]
            summary = run(kafka, tmp_path, written(tmp_path, f"{night}.csv", rows), *nightly)
            assert summary["sent"] > 0
            kafka.wait_for_commits(worker)
        nightly_profiles = kafka.profiles()
        once_more = written(tmp_path, "full.csv", [one.row(NIGHTS[-1]) for one in orders])
        assert run(kafka, tmp_path, once_more, *nightly)["sent"] == 0
        run(kafka, tmp_path, once_more, "--to-kafka", "--journal", str(tmp_path / "journal"))
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    for customer, profile in kafka.profiles().items():
        mine, now = [one for one in orders if one.customer == customer], NIGHTS[-1]
        first = [one.worth_minor(next(n for n in NIGHTS if n >= one.day), now) for one in mine]
        kept = [minor for minor in first if minor is not None]
        nightly_sums = nightly_profiles[customer].buying
        assert (customer, nightly_sums.sums.orders) == (customer, len(kept))
        assert (customer, nightly_sums.net_minor) == (customer, sum(kept)), "by what was sent first"
        assert (customer, profile.buying.sums.orders) == (customer, len(kept))
        latest = sum(one.worth_minor(now, now) or 0 for one in mine)
        assert sum(kept) <= profile.buying.net_minor <= latest, "by the larger one, where an id is forgotten"
    assert kafka.records("deadletter") == []
