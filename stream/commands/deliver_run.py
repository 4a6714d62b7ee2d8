"""`stream deliver run`: settings, endpoints, queue and topic are put together; runs until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path

import click

import stream.commands.deliver_list  # noqa: F401 - its commands are of the group
from stream.commands.deliver import ENDPOINTS, QUEUE, chosen_endpoints, deliver_group, queue_of
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.deliver.endpoints.endpoint import Endpoints
from stream.deliver.queue.database import Database, QueueError

STOPPED, WRITE_FAILED, KAFKA_LOST, NO_TOPIC, NO_KAFKA = 0, 71, 74, 78, 1


@deliver_group.command("run")
@ENDPOINTS
@QUEUE
@click.option(
    "--start",
    type=click.Choice(["end", "beginning"]),
    default="end",
    show_default=True,
    help="Where a partition that this queue does not know yet is read from.",
)
@click.option("--history", "with_history", is_flag=True, help="Send alerts of a replay or back-fill as well.")
@click.option(
    "--accept-gap", is_flag=True, help="Where Kafka has alerts no more that were not read, go on after them."
)
def run_command(
    *, path: Path | None, queue: str | None, start: str, with_history: bool, accept_gap: bool
) -> None:
    """Read the alerts topic and hand each alert over to the endpoints; runs until SIGTERM.

    It may be killed at any moment: an alert and the offset after it are one transaction of the queue. Only
    alerts that are written from now on are sent, unless --start says otherwise; later starts go on where the
    queue is. Exit codes: 0 stopped, 1 no answer from Kafka, 2 wrong settings, endpoints file or queue, 70 a
    fault in this program, 71 the queue cannot be written, 74 Kafka has deleted alerts that were not read, 78
    the topic is missing.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream deliver run --endpoints endpoints.toml --queue deliver.db
    """
    settings = load_settings()
    endpoints = chosen_endpoints(path)
    try:
        database = queue_of(queue or settings.deliver_queue, alone=True)
    except QueueError as error:
        echo(f"stream: {error}", err=True)
        raise SystemExit(2) from None
    from stream.worker.monitoring.logs import configure_logs

    configure_logs(settings)
    raise SystemExit(_exit_code(settings, endpoints, database, start, (accept_gap, with_history)))


def _exit_code(
    settings: Settings, endpoints: Endpoints, database: Database, start: str, flags: tuple[bool, bool]
) -> int:
    from confluent_kafka import KafkaException

    from stream.deliver.topic import TopicError
    from stream.kafka_causes import in_words

    try:
        asyncio.run(_run(settings, endpoints, database, start, flags))
    except Exception as raised:
        failure = _innermost(raised)
        if isinstance(failure, TopicError):
            code = KAFKA_LOST if failure.lost else NO_TOPIC
        elif isinstance(failure, QueueError):
            code = WRITE_FAILED
        elif isinstance(failure, KafkaException):
            code, failure = NO_KAFKA, Exception(f"Kafka: {in_words(failure.args[0])}")
        else:
            raise failure from None
        echo(f"stream: {failure}", err=True)
        return code
    return STOPPED


def _innermost(raised: Exception) -> Exception:
    """The exception that ended a group of tasks."""
    while isinstance(raised, ExceptionGroup):
        raised = raised.exceptions[0]
    return raised


async def _run(
    settings: Settings, endpoints: Endpoints, database: Database, start: str, flags: tuple[bool, bool]
) -> None:
    from stream.deliver.deliverer import Deliverer, wall_ms
    from stream.deliver.reporting import DeliveriesTopic
    from stream.deliver.topic import AlertTopic
    from stream.metrics import DeliveryMetrics
    from stream.worker.kafka.connection import librdkafka_settings
    from stream.worker.kafka.topics import topic_names
    from stream.worker.monitoring.health import HealthServer

    metrics = DeliveryMetrics()
    names, client = topic_names(settings), librdkafka_settings(settings)
    topic = AlertTopic(client, f"{settings.app_id}-deliver", names.alerts, names.control, wall_ms)
    reports = DeliveriesTopic(client, names.deliveries)
    accept_gap, with_history = flags
    deliverer = Deliverer(
        database,
        endpoints,
        topic,
        reports,
        metrics,
        start="beginning" if start == "beginning" else "end",
        accept_gap=accept_gap,
        with_history=with_history,
    )
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, deliverer.stop)
    health = HealthServer(metrics.registry, deliverer.alive, deliverer.ready)
    await health.start(settings.http_host, settings.deliver_http_port, "STREAM_DELIVER_HTTP_PORT")
    gc.freeze()  # what exists by now, mostly code, is never garbage: looking through it stopped all for 30 ms
    try:
        await deliverer.run()
    finally:
        await health.close()
