"""`stream worker`: reads settings, policy and model, then runs the worker until SIGTERM."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError
from stream.model_file import default_model, load_model
from stream.policy_file import PolicyFileError, load_policy


@click.command("worker")
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1_000),
    help="Workers on this machine, one for each core: they share the partitions.",
)
@click.option("--number", type=int, hidden=True, help="Which of several workers this is.")
def worker_command(*, processes: int, number: int | None) -> None:
    """Keep one profile per customer from the events on Kafka, and send alerts; runs until SIGTERM.

    Settings come from the environment (`stream settings` lists them). Start at most as many workers as there
    are partitions. With --processes each has its own HTTP port (STREAM_HTTP_PORT and the next ones) and its
    own folder in STREAM_DATA_DIR; one that ends is started again, a code that a new start cannot cure (2, 74,
    76, 78) stops all. Exit codes: 0 stopped, 2 wrong settings, policy or model, 70 a fault in this program,
    71 a write failed, 74 Kafka lost records, 75 another worker took over (start again), 76 too many dead
    letters, 78 topics are missing or differ.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 STREAM_POLICY=policy.toml stream worker --processes 2
    """
    settings = load_settings()
    basis = basis_of(settings)
    if processes > 1:
        sys.exit(run_several(settings, processes))
    with ExitStack() as stack:
        bootstrap = ""
        if settings.brokers == "embedded":
            from stream.worker.kafka.embedded import EmbeddedBroker

            bootstrap = stack.enter_context(EmbeddedBroker()).bootstrap
        from stream.engine import run
        from stream.worker.app import Worker
        from stream.worker.monitoring.logs import configure_logs

        configure_logs(settings, number)
        run(Worker(settings, basis, bootstrap).app)


def run_several(settings: Settings, count: int) -> int:
    """Run so many workers until they have stopped; the exit status, 2 for settings that do not fit."""
    from stream.worker.monitoring.logs import configure_logs
    from stream.worker.processes import WorkerGroup, refusal

    if line := refusal(settings, count):
        echo(f"stream: {line}", err=True)
        return 2
    configure_logs(settings)
    return WorkerGroup(settings, count).run()


def basis_of(settings: Settings) -> Basis:
    """The policy and model that the settings name; a fault in one of them is printed, with exit code 2."""
    try:
        policy = load_policy(Path(settings.policy) if settings.policy else None)
        model = load_model(Path(settings.model)) if settings.model else default_model()
        return Basis(policy, model)
    except (PolicyFileError, ModelError) as error:
        echo(str(error), err=True)
        sys.exit(2)
