"""From which topics `stream erase --delete-from` can have records deleted."""

from __future__ import annotations

import click

from stream.commands.erase import erase_command
from stream.worker.kafka.topics import ROLES

NEVER = {
    "control": "its erasures are what bars customers",
    "profiles": "the workers' own rows; Kafka compacts them",
    "deadletter": "`stream dlq forget` deletes those of one customer",
}


def test_every_topic_can_be_shortened_but_those_that_workers_need_or_that_have_a_way_of_their_own():
    (option,) = [each for each in erase_command.params if each.name == "roles"]

    assert isinstance(option.type, click.Choice)
    assert set(option.type.choices) == set(ROLES) - NEVER.keys()
