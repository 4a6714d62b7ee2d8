"""The dashboard as a whole: a store is opened and filled from a source, then served until it is stopped."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from stream.config.settings import Settings
from stream.core.judgement.basis import Basis
from stream.page.live.actions import ActionWriter
from stream.page.live.feed import UNREAD, LiveFeed
from stream.page.live.follower import Follow, Follower
from stream.page.live.record import READ, Read
from stream.page.live.topics import PageTopics, UnreachableError
from stream.page.live.watch import ClusterWatch, wall_ms
from stream.page.masks import Masks
from stream.page.screens.view import View
from stream.page.sources.fill import fill
from stream.page.sources.source import PageSource
from stream.page.store.postgres import PostgresStore
from stream.page.store.sqlite import SqliteStore, filled_by_us
from stream.page.store.store import ReadStore
from stream.page.web.server import DashboardServer
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.topics import topic_names

GROUP = "dashboard"
ASKED_EVERY_S = 0.1
GIVEN_UP_S = 30.0
"""For so long whoever reads the topics once waits while something is wrong."""
POSTGRES = ("postgresql://", "postgres://")
WORDS_OF_INPUTS = {"purchases": "purchases", "engagement": "visits", "feedback": "feedback"}


def running_shop(settings: Settings, basis: Basis, store: ReadStore) -> LiveFeed:
    """A shop whose topics the settings name, not started yet.

    UnreachableError: a topic is missing, or Kafka does not answer.
    """
    names, client = topic_names(settings), librdkafka_settings(settings)
    group = f"{settings.app_id}-{GROUP}"
    inputs = {getattr(names, role): words for role, words in WORDS_OF_INPUTS.items()}
    roles: dict[str, Read] = {getattr(names, role): role for role in READ}
    asking = PageTopics(client, group, {**dict.fromkeys(inputs, "control"), **roles})
    try:
        counts = asking.partitions()
    finally:
        asking.close()
    watched = {topic: counts[topic] for topic in (*inputs, names.control)}
    watch = ClusterWatch(client, list(roles), watched, settings.app_id, wall_ms)
    follow = Follow(client, group, roles, names.profiles, basis, settings.clock == "event")
    follower = Follower(follow, store, lambda: watch.looked.ids)
    return LiveFeed(
        follower,
        watch,
        ActionWriter(client, names.control, follower.now_ms),
        name=f"the topics of {settings.brokers}",
        inputs=inputs,
        stall_after_ms=settings.stall_after_s * 1_000,
        masks=store.masks,
    )


def read_once(shop: LiveFeed) -> View:
    """Read what the topics say to their end, once, and stop. UnreachableError: it cannot be read."""
    shop.start()
    try:
        in_vain_s, revision = 0.0, ""
        while (left := shop.unready()) or shop.faults():
            time.sleep(ASKED_EVERY_S)
            before, revision = revision, shop.revision
            goes_on = left == [UNREAD] and not (shop.unanswered and revision == before)
            in_vain_s = 0.0 if goes_on else in_vain_s + ASKED_EVERY_S
            if shop.faults() or in_vain_s >= GIVEN_UP_S:
                raise UnreachableError(next(filter(None, [*shop.faults(), shop.unanswered, *left])))
        return shop.view()
    finally:
        shop.stop()


@contextmanager
def opened_store(place: str, *, shared: bool, mask_key: str = "") -> Iterator[ReadStore]:
    """The store in a file or a PostgreSQL; with an empty `place` a temporary file, removed at the end.

    `shared`: it is filled while it is read, so that no second dashboard may fill it. `mask_key`: that of the
    masks under which ids are shown; empty: they are shown as they are. StoreError.
    """
    with TemporaryDirectory(prefix="stream-dashboard-") as folder, ExitStack() as stack:
        store: ReadStore
        if place.startswith(POSTGRES):
            store = PostgresStore(place)
        else:
            path = Path(place or Path(folder) / "store.db")
            if shared:
                stack.enter_context(filled_by_us(path))
            store = SqliteStore(path)
        if mask_key:
            store.masks = Masks(mask_key)
        try:
            yield store
        finally:
            store.close()


def view_of(store: ReadStore, source: PageSource) -> View:
    """What screens need to know of a store that was filled from this source."""
    return View(source.basis, store.as_of_ms(), source.name, source.has_alerts, store.notes(), store.masks)


async def serve(server: DashboardServer, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is called with the address. AddressError."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    on_ready(await server.start(host, port))
    try:
        await ended.wait()
    finally:
        await server.close()


def filled(store: ReadStore, source: PageSource) -> View:
    """Fill the store where it does not hold the source yet. SourceError, StoreError."""
    fill(store, source)
    return view_of(store, source)
