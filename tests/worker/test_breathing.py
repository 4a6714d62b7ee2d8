"""A long batch lets the event loop run in between, and where it does so changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import Event, ModelPublished
from stream.core.events.payload import ModelRecord
from stream.core.model.document import encode_model
from stream.worker.breathing import breathing
from tests.support.builders import basis, bought, complained, learnt_basis, when
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, Pipe, by_topic
from tests.support.strategies import loyal_lives

ALWAYS_S, NEVER_S = -1.0, 1e9
CUSTOMERS = 40


async def lived(pipe: Pipe, at_once_s: float, between: Any = None) -> int:
    """Live what is at hand; how often something else ran in between."""
    turns = 0
    done = False

    async def others() -> None:
        nonlocal turns
        while not done:
            if between is not None:
                between()
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    await breathing(pipe.lane, pipe.processor.apply, pipe.processor.abandon, at_once_s)
    done = True
    await other
    return turns


@settings(max_examples=30)
@given(loyal_lives(), st.sampled_from((ALWAYS_S, 0.0, 0.001)))
def test_alerts_and_profiles_do_not_depend_on_the_pauses(life, at_once_s):
    found = []
    for at_once in (at_once_s, NEVER_S):
        pipe = Pipe(guarded=False)
        for topic, events in by_topic(life).items():
            pipe.arrive(topic, events)
        asyncio.run(lived(pipe, at_once))
        found.append((pipe.alerts(), pipe.lane.table.take_all()))

    assert found[0] == found[1]


def test_other_tasks_run_after_each_moment_of_a_batch_that_takes_long():
    pipe = Pipe()
    tickets: list[Event] = [complained(number, f"t{number}", "😂" * 1_000) for number in range(60)]
    pipe.arrive(NAMES.feedback, tickets)
    pipe.arrive(NAMES.purchases, [bought(61, customer="end")])

    assert asyncio.run(lived(pipe, ALWAYS_S)) >= 60
    assert not_none(not_none(pipe.lane.get(b"c")).profile).feedback.complaints == 60


def test_a_quick_batch_is_not_interrupted():
    pipe = Pipe()
    pipe.arrive(NAMES.purchases, [bought(day) for day in range(60)])

    assert asyncio.run(lived(pipe, NEVER_S)) <= 1


def test_a_new_model_is_applied_to_one_customer_after_the_other():
    pipe = Pipe()
    pipe.feed(NAMES.purchases, [bought(1, customer=f"c{number}") for number in range(CUSTOMERS)])
    model = msgspec.Raw(encode_model(learnt_basis().model))
    published = ModelPublished(id="m", source="/s", subject="m", time=when(2), data=ModelRecord(model=model))
    pipe.arrive(NAMES.control, [published])
    pipe.arrive(NAMES.purchases, [bought(3, customer="end")])

    assert asyncio.run(lived(pipe, ALWAYS_S)) >= CUSTOMERS
    assert pipe.processor.basis_of(pipe.lane).model.version == learnt_basis().model.version
    assert pipe.processor.basis_of(pipe.lane).model.version != basis().model.version


def test_nothing_is_flushed_of_a_lane_in_a_pause_and_it_takes_more_records_after_it():
    pipe = Pipe()
    pipe.arrive(NAMES.purchases, [bought(day) for day in range(30)])
    seen = []

    def between() -> None:
        seen.append(pipe.lane.busy)
        if len(seen) == 5:
            pipe.arrive(NAMES.purchases, [bought(40), bought(41)])

    asyncio.run(lived(pipe, ALWAYS_S, between))

    assert seen.count(True) >= 30
    assert not pipe.lane.busy
    assert not_none(not_none(pipe.lane.get(b"c")).profile).buying.sums.orders == 32


@pytest.mark.parametrize("same_instant", [False, True])
def test_a_lane_that_was_closed_in_a_pause_is_left(same_instant):
    pipe = Pipe()
    pipe.arrive(NAMES.purchases, [bought(1 if same_instant else day) for day in range(30)])
    moments = 0

    def between() -> None:
        nonlocal moments
        moments += 1
        if moments == 4:
            pipe.lane.open = False

    asyncio.run(lived(pipe, ALWAYS_S, between))

    assert pipe.processor._instant == []
    row = pipe.lane.get(b"c")
    assert row is None or not_none(row.profile).buying.sums.orders <= 6
