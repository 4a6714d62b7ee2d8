"""Where the page and the digest read customers from: what their commands share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stream.commands import try_folder
from stream.commands.own_model import ModelChoice, basis_of_events
from stream.commands.parameters import EXISTING, chosen_basis
from stream.commands.recorded_events import print_set_aside
from stream.progress import progress

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.config.settings import Settings
    from stream.page.sources.source import PageSource

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SOURCES = (
    click.argument("folder", required=False, type=FOLDER),
    click.option(
        "--events", multiple=True, type=EXISTING, help="File of events; they are replayed in memory."
    ),
    click.option("--profiles", type=EXISTING, help="Profiles written by `stream replay`."),
    click.option("--alerts", type=EXISTING, help="Alerts written by `stream replay`."),
    click.option(
        "--policy", "policy_path", type=EXISTING, help="Policy file (TOML). [default: the shipped one]"
    ),
    click.option(
        "--model",
        "model_path",
        type=ModelChoice(),
        help="Model record (JSON), or `shipped`. [default: the shipped one; of --events one fitted to them]",
    ),
    click.option(
        "--published",
        type=FOLDER,
        help="Folder that `stream report`, `backtest` and `uplift` got by --publish.",
    ),
)


def source_options(command: Command) -> Command:
    """Add the options that name a source, its policy and model, and what studies published."""
    for add in reversed(_SOURCES):
        command = add(command)
    return command


class DashboardError(click.ClickException):
    """The dashboard cannot be shown; one line. Exit code 2 where something else must be asked for."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def needs_extra(command: str) -> None:
    """DashboardError where the packages of the page are not installed."""
    if find_spec("jinja2") is None:
        text = f"{command} needs the extra `dashboard`: pip install 'customer-stream[dashboard]'"
        raise DashboardError(text, 2)


def one_source(
    folder: Path | None,
    events: tuple[Path, ...],
    profiles: Path | None,
    alerts: Path | None,
    model: Path | None,
) -> tuple[Path | None, Path | None, Path | None]:
    """Profiles, alerts and model of the one source that is named; without profiles and events: the topics."""
    if folder is not None:
        profiles, alerts, model = _of_folder(folder, profiles, alerts, model)
    if events and profiles:
        raise click.UsageError(
            "name one source: the folder of `stream try`, --profiles (with --alerts), or --events; none for "
            "the topics"
        )
    if alerts and not profiles:
        raise click.UsageError("--alerts belongs to --profiles")
    return profiles, alerts, model


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


def page_source(
    events: tuple[Path, ...],
    profiles: Path | None,
    alerts: Path | None,
    judged_by: tuple[Path | None, Path | None],
    now_ms: int,
) -> PageSource:
    """The source that these files are; events are replayed here. `judged_by`: files of policy and model."""
    from stream.page.sources.event_files import event_files
    from stream.page.sources.replay_files import replay_files
    from stream.recording.recording import Recording

    if profiles is not None:
        return replay_files(profiles, alerts, chosen_basis(*judged_by), progress)
    recording = Recording(events, progress, now_ms)
    source = event_files(events, recording, basis_of_events(recording, events, *judged_by))
    print_set_aside(recording, as_json=False)
    if recording.unreadable and not len(recording):
        raise DashboardError("no line of these files is an event: there is nothing to show")
    return source


def reached(settings: Settings) -> None:
    """Kafka answers under these settings, and the log is as they say. ClusterError, UsageError."""
    from stream.worker.kafka.topics_admin import connected
    from stream.worker.monitoring.logs import configure_logs

    if settings.brokers == "embedded":
        raise click.UsageError(
            "STREAM_BROKERS = 'embedded': that broker runs inside its worker; name a real one, host:port"
        )
    configure_logs(settings)
    connected(settings)


@contextmanager
def page_words() -> Iterator[None]:
    """What keeps a page from being made, in one line."""
    from stream.page.live.topics import UnreachableError
    from stream.page.published import PublishedError
    from stream.page.sources.source import SourceError
    from stream.page.store.store import StoreError
    from stream.page.web.server import AddressError
    from stream.worker.kafka.topics_admin import ClusterError

    try:
        yield
    except (SourceError, StoreError, AddressError, ClusterError, UnreachableError, PublishedError) as problem:
        raise DashboardError(str(problem)) from problem
