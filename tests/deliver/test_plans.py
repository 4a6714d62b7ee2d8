"""No statement that a process runs again and again reads a whole table: a queue holds weeks of alerts."""

from __future__ import annotations

import re
from typing import Any

from stream.core.facts.profile import ERASURE_GRACE_MS
from stream.core.units import DAY_MS, SECOND_MS
from stream.deliver.plan.contact import Budget
from stream.deliver.queue.database import Database
from stream.deliver.queue.erasure import finish_erasures, forget_erased
from stream.deliver.queue.listing import oldest_pending_ms, pending
from stream.deliver.queue.mutes import forget_old_mutes
from stream.deliver.queue.resend import forget
from stream.deliver.queue.sqlite import SqliteDatabase
from stream.pseudonyms import ERASED, Pseudonyms
from tests.support.alert_bodies import alert_body
from tests.support.deliver_world import DOWN, OK, World, endpoint

WHOLE = re.compile(r"SCAN (alert|delivery|a|d|e|o)\b(?! USING (COVERING )?INDEX delivery_)")
"""The indexes of deliveries that may be scanned hold those alone that wait for something."""


class PlannedDatabase(SqliteDatabase):
    """Keeps each statement that would read a whole table, with what SQLite would do."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self.whole: dict[str, list[str]] = {}
        self.seen: set[str] = set()
        super().__init__(*arguments, **more)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        self._plan(statement, values)
        return super().rows(statement, *values)

    def changed(self, statement: str, *values: Any) -> int:
        self._plan(statement, values)
        return super().changed(statement, *values)

    def _plan(self, statement: str, values: tuple[Any, ...]) -> None:
        if statement.startswith("PRAGMA"):
            return
        self.seen.add(statement)
        plan = [row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        if any(WHOLE.match(line) for line in plan):
            self.whole[statement] = plan


class PlannedWorld(World):
    """A delivery whose queue is a PlannedDatabase."""

    planned: PlannedDatabase

    def _database(self) -> Database:
        self.planned = PlannedDatabase(self.folder / "queue.db", alone=True)
        return self.planned


async def test_no_statement_of_a_running_process_reads_a_whole_table(tmp_path):
    budget = Budget(contacts_max=2, window_ms=7 * DAY_MS)
    answers = iter([DOWN, OK, OK, DOWN] * 100)
    world = PlannedWorld(
        tmp_path, lambda attempt: next(answers), endpoint(), endpoint("chat", ordered=False), budget=budget
    )
    world.planned.pseudonyms = Pseudonyms("a-key-for-tests-only", ERASED)
    await world.send(*(alert_body(f"c{number}") for number in range(9)))
    await world.send(*(alert_body(f"c{number}", "cleared") for number in range(3)))
    world.mute("c4", world.now_ms + DAY_MS)
    world.consent("c5", refused=True)
    world.erase("c6")
    await world.run_for(2 * DAY_MS)
    for later_ms in (0, ERASURE_GRACE_MS + SECOND_MS, 40 * DAY_MS):
        at_ms = world.now_ms + later_ms
        finish_erasures(world.planned, at_ms)
        forget_erased(world.planned, at_ms)
        forget_old_mutes(world.planned, at_ms)
        forget(world.planned, at_ms - 30 * DAY_MS)
    world.report()
    pending(world.planned)
    oldest_pending_ms(world.planned)

    assert len(world.planned.seen) > 30
    assert world.planned.whole == {}
