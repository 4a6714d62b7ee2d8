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
def worker_command() -> None:
    """Keep one profile per customer from the events on Kafka, and send alerts; runs until SIGTERM.

    Settings come from the environment (`stream settings` lists them). Start at most as many workers as there
    are partitions. Exit codes: 0 stopped, 2 wrong settings, policy or model, 70 a fault in this program, 71 a
    write failed, 74 Kafka lost records, 75 another worker took over (start again), 76 too many dead letters,
    78 topics are missing or differ.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 STREAM_POLICY=policy.toml stream worker
    """
    settings = load_settings()
    basis = basis_of(settings)
    with ExitStack() as stack:
        bootstrap = ""
        if settings.brokers == "embedded":
            from stream.worker.kafka.embedded import EmbeddedBroker

            bootstrap = stack.enter_context(EmbeddedBroker()).bootstrap
        from stream.engine import run
        from stream.worker.app import Worker
        from stream.worker.monitoring.logs import configure_logs

        configure_logs(settings)
        run(Worker(settings, basis, bootstrap).app)


def basis_of(settings: Settings) -> Basis:
    """The policy and model that the settings name; a fault in one of them is printed, with exit code 2."""
    try:
        policy = load_policy(Path(settings.policy) if settings.policy else None)
        model = load_model(Path(settings.model)) if settings.model else default_model()
        return Basis(policy, model)
    except (PolicyFileError, ModelError) as error:
        echo(str(error), err=True)
        sys.exit(2)
