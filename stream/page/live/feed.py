"""What the server needs of a running shop: the view as of now, how fresh it is, and where remarks go."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from stream.core.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from stream.page.live.actions import ActionWriter, Remark
from stream.page.live.follower import Follower
from stream.page.live.watch import ClusterWatch, Looked, wall_ms
from stream.page.masks import Masks
from stream.page.screens.view import View
from stream.wording.amounts import count

NO_ANSWER_MS = 7 * SECOND_MS
"""Kafka is asked every two seconds: after so long without an answer pages say so."""
BEHIND_MS = 7 * SECOND_MS
UNMOVED_MS = 8 * SECOND_MS
READ_BACK_S = 5.0
UNREAD = "the topics are not read to their end yet"


class Fresh(NamedTuple):
    """A source and how old its newest event is, in words."""

    source: str
    age: str


class LiveFeed:
    """Put together by the command; `start` and `stop` are those of its threads."""

    def __init__(
        self,
        follower: Follower,
        watch: ClusterWatch,
        writer: ActionWriter,
        *,
        name: str,
        inputs: Mapping[str, str],
        stall_after_ms: int,
        masks: Masks | None = None,
    ) -> None:
        """`name`: what is read, in words. `inputs`: input topic -> its name for people."""
        self._follower, self._watch, self._writer = follower, watch, writer
        self._name, self._inputs, self._stall_after_ms = name, inputs, stall_after_ms
        self._masks = masks

    def start(self) -> None:
        """Begin to read and to look."""
        self._watch.start()
        self._follower.start()

    def stop(self) -> None:
        """End both threads."""
        self._follower.stop()
        self._watch.stop()

    @property
    def revision(self) -> str:
        """Another one whenever a page would show something else."""
        return f"{id(self):x}-{self._follower.revision}"

    @property
    def lag(self) -> Mapping[str, int]:
        """Topic -> records that are not in the store yet."""
        return self._follower.lag

    @property
    def lag_s(self) -> float:
        """For how long something has been waiting to be read."""
        since_ms = self._follower.behind_since_ms
        return max(0.0, (wall_ms() - since_ms) / SECOND_MS) if since_ms else 0.0

    def view(self) -> View:
        """As of now."""
        follower = self._follower
        return View(
            follower.basis,
            follower.now_ms(),
            self._name,
            has_alerts=True,
            masks=self._masks,
            policies=tuple(follower.policies),
        )

    def faults(self) -> list[str]:
        """Why the process should be started again; nothing when it works."""
        return [str(self._follower.fault)] if self._follower.fault is not None else []

    def unready(self) -> list[str]:
        """Why pages do not show everything yet."""
        if self._follower.problem:
            return [self._follower.problem]
        return [] if self._follower.caught_up else [UNREAD]

    @property
    def unanswered(self) -> str:
        """Why Kafka did not answer when it was asked last; empty when it did."""
        return self._watch.looked.problem

    def fresh(self) -> list[Fresh]:
        """Of each source how long ago its newest record came."""
        newest, now_ms = self._watch.looked.newest_ms, wall_ms()
        return [
            Fresh(words, age(now_ms - newest[topic]) if topic in newest else "nothing yet")
            for topic, words in self._inputs.items()
        ]

    def troubles(self) -> list[str]:
        """What is wrong, one sentence each; nothing when all is well."""
        if self._follower.fault is not None:
            return ["The dashboard does not read any more: a fault in this program; its log says more."]
        return troubles(
            self._watch.looked,
            wall_ms(),
            problem=self._follower.problem,
            caught_up=self._follower.caught_up,
            lag=sum(self._follower.lag.values()),
            behind_ms=round(self.lag_s * SECOND_MS),
            inputs=self._inputs,
            stall_after_ms=self._stall_after_ms,
        )

    def say(self, remark: Remark) -> None:
        """Write it, and wait a little until the pages know of it. ActionError; blocks."""
        place, offset = self._writer.write(remark)
        began_s = time.monotonic()
        self._follower.wait_read(place, offset, READ_BACK_S - (time.monotonic() - began_s))


def age(ms: int) -> str:
    """`4 s ago`, `5 min ago`, `3 h ago`, `12 days ago`."""
    ms = max(0, ms)
    if ms < 2 * MINUTE_MS:
        return f"{ms // SECOND_MS} s ago"
    if ms < 2 * HOUR_MS:
        return f"{ms // MINUTE_MS} min ago"
    if ms < 2 * DAY_MS:
        return f"{ms // HOUR_MS} h ago"
    return f"{ms // DAY_MS} days ago"


def troubles(
    looked: Looked,
    now_ms: int,
    *,
    problem: str,
    caught_up: bool,
    lag: int,
    behind_ms: int,
    inputs: Mapping[str, str],
    stall_after_ms: int,
) -> list[str]:
    """What people must know before they trust the numbers, one sentence each."""
    found = []
    if looked.problem and now_ms - looked.at_ms > NO_ANSWER_MS:
        since = f" since {age(now_ms - looked.at_ms).removesuffix(' ago')}" if looked.at_ms else ""
        found.append(f"Kafka does not answer{since}: these numbers are older than they look.")
    elif problem:
        found.append(f"The numbers are not kept up: {problem}.")
    elif not caught_up:
        found.append(
            f"Still reading what the shop knows: {count(lag, 'record')} to go. Numbers are incomplete."
        )
    elif behind_ms > BEHIND_MS:
        found.append(f"The page is behind: {count(lag, 'record')} of news are not shown yet.")
    if looked.unmoved_since_ms and now_ms - looked.unmoved_since_ms > UNMOVED_MS:
        left = count(looked.unprocessed, "event waits", "events wait")
        found.append(f"The workers do not go on: {left} to be judged, so alerts may be missing.")
    found += _stalled(looked, inputs, stall_after_ms)
    return found


def _stalled(looked: Looked, inputs: Mapping[str, str], stall_after_ms: int) -> list[str]:
    """Purchases whose newest is far behind the newest of other sources: silence may be that of a pipe."""
    newest = {words: looked.newest_ms[topic] for topic, words in inputs.items() if topic in looked.newest_ms}
    behind_ms = max(newest.values(), default=0) - newest.get("purchases", 0)
    if "purchases" not in newest or behind_ms <= stall_after_ms:
        return []
    length = age(behind_ms).removesuffix(" ago")
    return [f"No purchases for {length} while others arrive: who seems silent may only be unheard."]
