"""`stream dashboard`: parsing and printing only."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stream.commands import try_folder
from stream.commands.parameters import EXISTING, basis_of_worker, chosen_basis
from stream.commands.recorded_events import now_option, print_set_aside
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.config.settings import Settings
    from stream.core.judgement.basis import Basis
    from stream.page.live.feed import LiveFeed
    from stream.page.screens.view import View
    from stream.page.sources.source import PageSource
    from stream.page.store.store import ReadStore

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXTRA = "stream dashboard needs the extra `dashboard`: pip install 'customer-stream[dashboard]'"


class DashboardError(click.ClickException):
    """The dashboard cannot be shown; one line. Exit code 2 where something else must be asked for."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@click.command("dashboard")
@click.argument("folder", required=False, type=FOLDER)
@click.option("--events", multiple=True, type=EXISTING, help="File of events; they are replayed in memory.")
@click.option("--profiles", type=EXISTING, help="Profiles written by `stream replay`.")
@click.option("--alerts", type=EXISTING, help="Alerts written by `stream replay`.")
@click.option("--policy", "policy_path", type=EXISTING, help="Policy file (TOML). [default: the shipped one]")
@click.option("--model", "model_path", type=EXISTING, help="Model record (JSON). [default: the shipped one]")
@click.option(
    "--published", type=FOLDER, help="Folder that `stream report`, `backtest` and `uplift` got by --publish."
)
@click.option(
    "--store",
    default="",
    help="Keep the read store in this file, or in postgresql://..., for a fast next start.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port; 0: any free one. [default: STREAM_DASHBOARD_PORT]"
)
@now_option
def dashboard_command(
    *,
    folder: Path | None,
    events: tuple[Path, ...],
    profiles: Path | None,
    alerts: Path | None,
    policy_path: Path | None,
    model_path: Path | None,
    published: Path | None,
    store: str,
    port: int | None,
    now_ms: int,
) -> None:
    """Show all customers on a page for people: who needs us today, why, what is at stake, what to do.

    Without a source it follows the topics of a running shop (STREAM_BROKERS and the other settings of the
    worker). Else name one: the FOLDER that `stream try` made, files of a replay, or events. It serves on this
    computer only (127.0.0.1), until Ctrl-C or SIGTERM. Exit codes: 0 stopped, 1 it cannot be shown (Kafka, a
    file, the store, the port), 2 wrong usage or settings, 70 a fault in this program.

    \b
    Examples:
      STREAM_BROKERS=kafka:9092 stream dashboard --store dashboard.db
      stream try orders.csv && stream dashboard orders.try
      stream dashboard --profiles profiles.jsonl --alerts alerts.jsonl
    """
    settings = load_settings()
    if find_spec("jinja2") is None:
        raise DashboardError(EXTRA, 2)
    if folder is not None:
        profiles, alerts, model_path = _of_folder(folder, profiles, alerts, model_path)
    if events and profiles:
        raise click.UsageError(
            "name one source: the folder of `stream try`, --profiles (with --alerts), or --events; none for "
            "the topics"
        )
    if alerts and not profiles:
        raise click.UsageError("--alerts belongs to --profiles")
    from stream.page.dashboard import filled, opened_store

    live = not (events or profiles)
    with _in_one_line(), opened_store(store or settings.dashboard_store, shared=live) as kept:
        if live:
            _follow(settings, kept, basis_of_worker(policy_path, model_path), port, published)
            return
        basis = chosen_basis(policy_path, model_path)
        source = _source(events, profiles, alerts, basis, now_ms)
        with progress("reading the customers"):
            view = filled(kept, source)
        _serve(settings, kept, view, port, published=published or folder)


def _follow(
    settings: Settings, store: ReadStore, basis: Basis, port: int | None, published: Path | None
) -> None:
    """Serve what the topics say, and keep up with them."""
    from stream.page.dashboard import running_shop
    from stream.worker.kafka.topics_admin import connected
    from stream.worker.monitoring.logs import configure_logs

    if settings.brokers == "embedded":
        raise click.UsageError(
            "STREAM_BROKERS = 'embedded': that broker runs inside its worker; name a real one, host:port"
        )
    configure_logs(settings)
    connected(settings)
    shop = running_shop(settings, basis, store)
    shop.start()
    try:
        _serve(settings, store, shop.view(), port, live=shop, published=published)
    finally:
        shop.stop()


def _serve(
    settings: Settings,
    store: ReadStore,
    view: View,
    port: int | None,
    *,
    live: LiveFeed | None = None,
    published: Path | None = None,
) -> None:
    from stream.page.dashboard import serve
    from stream.page.published import Published
    from stream.page.web.server import DashboardServer

    names = [name.strip() for name in settings.dashboard_names.split(",") if name.strip()]
    user, header = settings.dashboard_user, settings.dashboard_user_header
    server = DashboardServer(store, view, names, live, Published(published), user=user, user_header=header)
    chosen = settings.dashboard_port if port is None else port
    asyncio.run(serve(server, settings.dashboard_host, chosen, _print_address))


def _print_address(address: str) -> None:
    echo(f"The dashboard is at {address} (Ctrl-C ends it)")


def _of_folder(
    folder: Path, profiles: Path | None, alerts: Path | None, model: Path | None
) -> tuple[Path, Path | None, Path | None]:
    """Profiles, alerts and model of a folder that `stream try` made."""
    if profiles or alerts:
        raise click.UsageError("the folder holds profiles and alerts: leave --profiles and --alerts out")
    found = folder / try_folder.PROFILES
    if not found.exists():
        raise click.UsageError(f"{folder} holds no {try_folder.PROFILES}: run `stream try` first, or again")
    sent, fitted = folder / try_folder.ALERTS, folder / try_folder.MODEL
    return found, sent if sent.exists() else None, model or (fitted if fitted.exists() else None)


def _source(
    events: tuple[Path, ...],
    profiles: Path | None,
    alerts: Path | None,
    basis: Basis,
    now_ms: int,
) -> PageSource:
    from stream.page.sources.event_files import event_files
    from stream.page.sources.replay_files import replay_files
    from stream.recording.recording import Recording

    if profiles is not None:
        return replay_files(profiles, alerts, basis, progress)
    recording = Recording(events, progress, now_ms)
    source = event_files(events, recording, basis)
    print_set_aside(recording, as_json=False)
    return source


@contextmanager
def _in_one_line() -> Iterator[Any]:
    from stream.page.live.topics import UnreachableError
    from stream.page.sources.source import SourceError
    from stream.page.store.store import StoreError
    from stream.page.web.server import AddressError
    from stream.worker.kafka.topics_admin import ClusterError

    try:
        yield
    except (SourceError, StoreError, AddressError, ClusterError, UnreachableError) as problem:
        raise DashboardError(str(problem)) from problem
