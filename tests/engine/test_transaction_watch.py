"""What is told of transactions that stay open: once each, only what the broker confirms, and their end."""

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka.errors import LeaderNotAvailableError

from stream.engine.client_internals import OpenTransaction
from stream.engine.failure import FailStop
from stream.engine.input.transaction_watch import TransactionWatch
from stream.engine.partition_id import PartitionId
from tests.support.delivered_lane import OPTIONS, TOPIC, TP, opened

WAIT_S = OPTIONS.open_transaction_s
BEGIN, END = 7, 12


class Ends:
    """What a fetch has reported, and what the broker answers when it is asked."""

    def __init__(self) -> None:
        self.reported = {TP: (BEGIN, END)}
        self.answer: OpenTransaction | None = OpenTransaction(BEGIN, END, 4711, "shop-tx")
        self.failure: Exception | None = None
        self.asked = 0

    async def hidden(self, tps: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, int]]:
        return {tp: ends for tp, ends in self.reported.items() if tp in set(tps)}

    async def open_transaction(self, tp: PartitionId) -> OpenTransaction | None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.answer


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def watch(ends: Ends, caplog: pytest.LogCaptureFixture) -> TransactionWatch:
    caplog.set_level(logging.INFO, "stream.engine")
    delivery, _ = opened()
    return TransactionWatch(OPTIONS, ends, delivery, FailStop(exit=lambda _: None))


async def test_a_transaction_is_told_once_when_it_was_open_for_so_long(
    ends: Ends, watch: TransactionWatch, caplog: pytest.LogCaptureFixture
) -> None:
    await watch.look(0.0)
    await watch.look(WAIT_S - 1)
    assert (caplog.messages, watch.lines(), ends.asked) == ([], [], 0)

    await watch.look(WAIT_S)
    await watch.look(WAIT_S + 5)

    assert watch.hidden_s(WAIT_S + 5) == {TP: WAIT_S + 5}
    assert (len(caplog.messages), len(watch.lines()), ends.asked) == (1, 1, 1)
    assert f"{TOPIC}/0: a transaction has been open" in caplog.messages[0]
    assert "producer 4711 (transactional id shop-tx) began it at offset 7" in caplog.messages[0]

    ends.reported = {}
    await watch.look(WAIT_S + 10)
    assert caplog.messages[1:] == [f"{TOPIC}/0: the transaction of producer 4711 has ended; reading goes on"]
    assert (watch.lines(), watch.hidden_s()) == ([], {})


@pytest.mark.parametrize("answer", [None, OpenTransaction(BEGIN + 1, END, 4711)], ids=["none", "a later one"])
async def test_what_the_broker_does_not_confirm_is_not_told(
    ends: Ends, watch: TransactionWatch, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    """A partition from which nothing is fetched, because enough of it waits, reports old ends."""
    ends.answer = answer
    await watch.look(0.0)
    await watch.look(WAIT_S)

    assert (caplog.messages, watch.hidden_s()) == ([], {})


async def test_transactions_that_follow_each_other_are_none_that_stays_open(
    ends: Ends, watch: TransactionWatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(10):
        ends.reported = {TP: (BEGIN + number, END + number)}
        await watch.look(number * WAIT_S / 2)

    assert (caplog.messages, ends.asked) == ([], 0)


async def test_of_a_partition_that_went_to_another_worker_nothing_more_is_told(
    ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stream.engine")
    delivery, _ = opened()
    watch = TransactionWatch(OPTIONS, ends, delivery, FailStop(exit=lambda _: None))
    await watch.look(0.0)
    await watch.look(WAIT_S)
    delivery.close_lanes()

    await watch.look(WAIT_S + 5)

    assert len(caplog.messages) == 1
    assert (watch.lines(), watch.hidden_s()) == ([], {})


@pytest.mark.parametrize(
    "failure", [LeaderNotAvailableError(), TimeoutError()], ids=["no leader", "no answer"]
)
async def test_without_an_answer_it_is_still_hidden_and_told_once_there_is_one(
    ends: Ends, watch: TransactionWatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    ends.failure = failure
    await watch.look(0.0)
    await watch.look(WAIT_S)
    assert (caplog.messages, watch.hidden_s(WAIT_S)) == ([], {TP: WAIT_S})

    ends.failure = None
    await watch.look(WAIT_S + 5)
    assert len(caplog.messages) == 1
