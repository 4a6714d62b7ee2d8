"""A generated shop as a replay writes it, made once, and a store that is filled from it."""

import pytest

from stream.page.dashboard import filled
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from tests.support.builders import basis
from tests.support.replayed_shop import write_replayed_shop


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory):
    """The profiles and the alerts."""
    return write_replayed_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def shop(shop_files, tmp_path_factory):
    """A filled store, which tests only read, and the view of it."""
    store = SqliteStore(tmp_path_factory.mktemp("store") / "store.db")
    yield store, filled(store, replay_files(shop_files[0], shop_files[1], basis()))
    store.close()
