"""A PostgreSQL that is frozen is not waited for without end; one that is only slow is."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from stream.deliver.queue.database import QueueError
from stream.deliver.queue.offsets import positions, set_positions
from stream.deliver.queue.postgres import PostgresDatabase
from stream.page.remarks import MuteEntry
from stream.page.store.postgres import PostgresStore
from stream.page.store.store import Batch, StoreError
from stream.postgres import SET_UNLESS_NAMED, opened
from stream.privacy.sql_stores import SqlStoreError, sql_store
from tests.support.postgres import frozen, postgres

pytestmark = pytest.mark.slow  # it starts a PostgreSQL

SHORT_S = 0.5


@pytest.fixture(scope="module")
def url():
    with postgres() as found:
        yield found


@pytest.fixture
def impatient(monkeypatch):
    """After half a second without an answer the server is asked whether it answers at all."""
    monkeypatch.setattr("stream.deliver.queue.postgres.PATIENCE_S", SHORT_S)
    monkeypatch.setattr("stream.page.store.postgres.PATIENCE_S", SHORT_S)
    monkeypatch.setattr("stream.privacy.sql_stores.PATIENCE_S", SHORT_S)
    monkeypatch.setattr("stream.postgres.PROBE_S", 2)


def test_a_queue_on_a_frozen_server_ends_with_one_line_that_names_it(url, impatient):
    database = PostgresDatabase(url)
    with frozen(url), pytest.raises(QueueError, match=r"^PostgreSQL: no answer from /tmp/pg-\S+ for \d+ s$"):
        set_positions(database, "alerts", {0: 7})
    database.close()
    with closing(PostgresDatabase(url)) as again:
        assert positions(again, "alerts") in ({}, {0: 7})


def test_a_server_that_thaws_in_time_goes_on_with_what_was_asked(url):
    with closing(PostgresDatabase(url)) as database, ThreadPoolExecutor(1) as thread:
        with frozen(url):
            asked = thread.submit(set_positions, database, "thawed", {0: 7})
            with pytest.raises(TimeoutError):
                asked.result(1.0)
        asked.result(30)
        assert positions(database, "thawed") == {0: 7}


def test_a_slow_statement_of_a_server_that_answers_is_waited_for(url, impatient):
    with closing(opened(url, SHORT_S)) as connection:
        assert connection.execute("SELECT 7 FROM pg_sleep(4)").fetchall() == [(7,)]


def test_a_connection_ends_when_the_network_is_gone_and_what_the_url_names_stays(url):
    with closing(opened(f"{url}&connect_timeout=3&keepalives_idle=99", 30)) as connection:
        named = connection.info.get_parameters()
        assert {"connect_timeout": "3", "keepalives_idle": "99"}.items() <= named.items()
        assert named["tcp_user_timeout"] == str(SET_UNLESS_NAMED["tcp_user_timeout"])
        ((ends,),) = connection.execute("SHOW idle_in_transaction_session_timeout").fetchall()
        assert ends == "1min", "a process that is frozen in a transaction holds its rows no longer"


def test_a_read_store_tells_that_the_server_is_frozen_and_goes_on_when_it_thaws(url, impatient):
    with closing(PostgresStore(url)) as store:
        store.open_for("something")
        with frozen(url):
            with pytest.raises(StoreError, match="no answer from"), store.reading() as reading:
                reading.rows("SELECT 1")
            with pytest.raises(StoreError, match="no answer from"):
                store.write(Batch(mutes=[MuteEntry("c1", 0, 1, "", "")]))
        with store.reading() as reading:
            assert reading.rows("SELECT count(*) FROM mutes") == [(0,)]
        store.write(Batch(mutes=[MuteEntry("c1", 0, 1, "", "")]))
        with store.reading() as reading:
            assert reading.rows("SELECT customer FROM mutes") == [("c1",)]


def test_an_erasure_or_export_on_a_frozen_server_ends(url, impatient):
    PostgresDatabase(url).close()

    def rows_of_a_customer():
        with sql_store("delivery queue", url) as store:
            assert store is not None
            with frozen(url):
                store.rows_of("c1")

    with pytest.raises(SqlStoreError, match="no answer from"):
        rows_of_a_customer()
