"""Takes the dead letters of one customer off the topic, and nobody else's.

Kafka can only delete the beginning of a partition. So the other records of that beginning are written again
at its end, each as it is, in a transaction of `stream dlq` (stream/ops/redrive.py: no other run is under
way), and then the beginning is deleted. A run that is killed in between leaves records twice, which count
once, by their ids; the next run goes on. What was written again is kept for a full retention more.
"""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaException, Message, Producer

from stream.config.settings import Settings
from stream.kafka_causes import in_words
from stream.ops.about_customer import is_about
from stream.ops.cluster import delete_up_to, from_start, message_headers, reader, unread_batch
from stream.ops.redrive import BATCH, TRANSACTION_S, take_over, wait_until_readable
from stream.worker.kafka.topics import TopicNames
from stream.worker.kafka.topics_admin import ClusterError, admin_client


def letters_of(settings: Settings, names: TopicNames, customer: str) -> list[Message]:
    """The dead letters of a customer."""
    with reader(settings) as consumer:
        return [
            each for each in from_start(consumer, names.deadletter) if is_about(each, customer, loosely=True)
        ]


def forget_letters(settings: Settings, names: TopicNames, customer: str) -> int:
    """Delete the dead letters of a customer; how many. ClusterError, KafkaException: refused, and what was
    not deleted is still there."""
    if not letters_of(settings, names, customer):
        return 0
    client = take_over(settings, names)
    with reader(settings) as consumer:
        everything = list(from_start(consumer, names.deadletter))
    gone = [each for each in everything if is_about(each, customer, loosely=True)]
    cuts = {number: max(each.offset() for each in gone if each.partition() == number) for number in
            {each.partition() for each in gone}}  # fmt: skip
    places = {(each.partition(), each.offset()) for each in gone}
    kept = [
        each
        for each in everything
        if each.offset() <= cuts.get(each.partition(), -1) and (each.partition(), each.offset()) not in places
    ]
    if any(unread_batch(each) is not None for each in kept):
        raise ClusterError(
            f"{names.deadletter}: a batch before those letters cannot be read, so none is deleted"
        )
    for at in range(0, len(kept), BATCH):
        _write_again(client, names.deadletter, kept[at : at + BATCH])
    wait_until_readable(settings, names)
    admin = admin_client(settings)
    delete_up_to(admin, {(names.deadletter, number): last + 1 for number, last in cuts.items()})
    return len(gone)


def _write_again(client: Producer, topic: str, kept: Sequence[Message]) -> None:
    client.begin_transaction()
    try:
        for each in kept:
            client.produce(
                topic, each.value(), each.key(), each.partition(), headers=[*message_headers(each)],
                timestamp=each.timestamp()[1],
            )  # fmt: skip
            client.poll(0)
        client.flush(TRANSACTION_S)
        client.commit_transaction(TRANSACTION_S)
    except KafkaException as failure:
        error = failure.args[0]
        if error.txn_requires_abort():
            client.abort_transaction(TRANSACTION_S)
        raise ClusterError(f"{topic}: {in_words(error)}; nothing was deleted, run it again") from failure
