"""The rights in Kafka that each process needs, as ACLs, and no others: one table.

The start of a worker, the users in deploy/k8s and the table in SECURITY.md all come from it, and a test lets
each process work on a broker that refuses everything else. READ and WRITE include DESCRIBE (KIP-11); a
producer needs no right to be idempotent beside WRITE on its topics (KIP-679).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from stream.config.settings import Settings
from stream.worker.kafka.topics import INPUTS, ROLES, topic_names

User = Literal["worker", "deliver", "dashboard", "producer", "operator"]
Operation = Literal["READ", "WRITE", "CREATE", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"]
Kind = Literal["topic", "group", "transactional_id"]

EVENTS = ("purchases", "engagement", "feedback")


class Acl(Struct, frozen=True):
    """What a user may do with one resource."""

    kind: Kind
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False
    """Everything whose name begins with `name`."""


class _Needs(Struct, frozen=True):
    """Rights by the role of a topic, and by what follows STREAM_APP_ID in the name of a group."""

    topics: Mapping[str, tuple[Operation, ...]]
    groups: Mapping[str, tuple[Operation, ...]]
    transactions: bool = False
    """WRITE on transactional ids that begin with STREAM_APP_ID."""


USERS: Mapping[User, _Needs] = {
    "worker": _Needs(
        {
            **dict.fromkeys(INPUTS, ("READ", "DESCRIBE_CONFIGS")),
            "profiles": ("READ", "WRITE"),
            **dict.fromkeys(("alerts", "shadow", "deadletter", "view"), ("WRITE",)),
        },
        {"-recovery": ("DESCRIBE",), "": ("READ",)},
        transactions=True,
    ),
    "deliver": _Needs(
        {"alerts": ("READ",), "control": ("READ",), "deliveries": ("WRITE",)},
        {"-deliver": ("READ",)},
    ),
    "dashboard": _Needs(
        {
            **dict.fromkeys((*EVENTS, "profiles", "alerts", "shadow", "deadletter"), ("READ",)),
            "control": ("READ", "WRITE"),
        },
        {"-dashboard": ("DESCRIBE",), "": ("DESCRIBE",)},
    ),
    "producer": _Needs({**dict.fromkeys(EVENTS, ("WRITE",)), "control": ("DESCRIBE",)}, {}),
    "operator": _Needs(
        {
            **dict.fromkeys((*ROLES, "view"), ("READ", "CREATE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")),
            **dict.fromkeys(
                (*INPUTS, "deadletter"),
                ("READ", "WRITE", "CREATE", "DELETE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"),
            ),
        },
        {"": ("DESCRIBE",), "-tools": ("DESCRIBE",)},
        transactions=True,
    ),
}
"""A client of librdkafka wants a group and asks for its coordinator, also where it never joins: DESCRIBE.

DELETE of the operator is for records of erased customers (`stream erase`) and dead letters."""


def rights_of(user: User, settings: Settings) -> Iterator[Acl]:
    """The ACLs of a user, with the names that the settings give."""
    needs, names = USERS[user], topic_names(settings)
    for role, operations in needs.topics.items():
        yield Acl("topic", getattr(names, role), operations)
    for suffix, operations in needs.groups.items():
        yield Acl("group", settings.app_id + suffix, operations)
    if needs.transactions:
        yield Acl("transactional_id", settings.app_id, ("WRITE",), prefixed=True)


def rights_table() -> str:
    """The same for people, as Markdown; `APP` is STREAM_APP_ID."""
    lines = ["| user | may | what |", "|---|---|---|"]
    for user, needs in USERS.items():
        by_operations: dict[tuple[Operation, ...], list[str]] = {}
        for role, operations in needs.topics.items():
            by_operations.setdefault(operations, []).append(role)
        for operations, roles in by_operations.items():
            lines.append(f"| {user} | {', '.join(operations)} | topics: {', '.join(roles)} |")
        for suffix, operations in needs.groups.items():
            lines.append(f"| {user} | {', '.join(operations)} | group `APP{suffix}` |")
        if needs.transactions:
            lines.append(f"| {user} | WRITE | transactional ids that begin with `APP` |")
    return "\n".join(lines)
