"""A generated shop as a replay writes it, made once, and a store that is filled from it."""

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.page.dashboard import filled
from stream.page.screens.open_list import today_filters
from stream.page.screens.today import today
from stream.page.screens.view import View
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from tests.support.builders import basis
from tests.support.page_entries import NOW_MS
from tests.support.replayed_shop import write_replayed_shop
from tests.support.shop import write_events


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


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """What `stream report` and `stream backtest` publish of the shop that the other tests look at."""
    place = tmp_path_factory.mktemp("published")
    shop = Shop(customers=160, days=400)
    events = write_events(list(generated_events(shop, Disorder(), None)), place / "events.jsonl")
    for words in (["report"], ["backtest", "--split", "2024-09-30", "--horizon", "13w"]):
        answer = CliRunner().invoke(
            main, [words[0], str(events), *words[1:], "--publish", str(place / "kept"), "--jobs", "1"]
        )
        assert answer.exit_code == 0, answer.output
        assert "<html" not in answer.output
    return place / "kept"


@pytest.fixture
def shown(tmp_path):
    """Today with some rows, made by hand."""
    view = View(basis(), NOW_MS, "a test", True)
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")

    def show(entries, query=(), **more):
        store.write(Batch(opened=list(entries), **more))
        with store.reading() as reading:
            return today(reading, today_filters(dict(query), view), view)

    yield show
    store.close()
