"""`stream dashboard`: parsing and printing only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.commands.page_sources import (
    needs_extra,
    one_source,
    page_source,
    page_words,
    reached,
    source_options,
)
from stream.commands.parameters import basis_of_worker
from stream.commands.recorded_events import now_option
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.progress import progress
from stream.pseudonyms import ERASED, Pseudonyms

if TYPE_CHECKING:
    from stream.config.settings import Settings
    from stream.core.judgement.basis import Basis
    from stream.page.live.feed import LiveFeed
    from stream.page.screens.view import View
    from stream.page.store.store import ReadStore


@click.command("dashboard")
@source_options
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
      stream dashboard --events year.jsonl.gz
      stream dashboard --profiles profiles.jsonl --alerts alerts.jsonl
    """
    settings = load_settings()
    needs_extra("stream dashboard")
    profiles, alerts, model_path = one_source(folder, events, profiles, alerts, model_path)
    from stream.page.dashboard import filled, opened_store
    from stream.page.screens.unlike_tiers import tiers_unlike

    live = not (events or profiles)
    place, key = store or settings.dashboard_store, settings.dashboard_mask_key
    with page_words(), opened_store(place, shared=live, mask_key=key) as kept:
        if live:
            _follow(settings, kept, basis_of_worker(policy_path, model_path), port, published)
            return
        source = page_source(events, profiles, alerts, (policy_path, model_path), now_ms)
        with progress("reading the customers"):
            view = filled(kept, source)
        with kept.reading() as reading:
            unlike = tiers_unlike(reading, view)
        if unlike is not None:
            echo(f"Note: {unlike.what} {unlike.to_do}", err=True)
        _serve(settings, kept, view, port, published=published or folder)


def _follow(
    settings: Settings, store: ReadStore, basis: Basis, port: int | None, published: Path | None
) -> None:
    """Serve what the topics say, and keep up with them."""
    from stream.page.dashboard import running_shop

    reached(settings)
    store.pseudonyms = Pseudonyms(settings.erasure_key, ERASED)
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
