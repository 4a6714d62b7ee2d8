"""A cluster as the checks of `stream doctor` see it, without a broker."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from stream.config.settings import Settings
from stream.ops.doctor.cluster_view import ClusterView, GroupState, Replicas
from stream.worker.kafka.topics import ROLES, TopicState, topic_names, topic_plans
from tests.support.builders import START_MS

SETTINGS = Settings()
NAMES = topic_names(SETTINGS)


class Row(NamedTuple):
    """The parts of a message of the profiles topic that the checks read."""

    whose: bytes
    what: bytes | None

    def key(self) -> bytes:
        return self.whose

    def value(self) -> bytes | None:
        return self.what

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (0, START_MS)


def cluster(roles: tuple[str, ...] = (), rows: tuple[Row, ...] = (), **changes: Any) -> ClusterView:
    """A cluster with the topics of these roles, as planned, and records on the profiles topic alone."""
    plans = [plan for plan in topic_plans(SETTINGS) if plan.role in roles]
    view = ClusterView(
        settings=SETTINGS,
        names=NAMES,
        brokers=1,
        apis={90: (0, 0)},
        topics={plan.name: TopicState(plan.partitions, plan.config) for plan in plans},
        replicas={plan.name: [Replicas(1, 1, True)] for plan in plans},
        samples={role: [] for role in ROLES} | {"profiles": list(rows)},
        ends={(plan.name, 0): (0, 0) for plan in plans},
        group=GroupState(1, {}),
        trend=None,
        transactions={},
        now_ms=START_MS,
    )
    return msgspec.structs.replace(view, **changes)
