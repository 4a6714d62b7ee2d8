"""A shop on a real Kafka, and dashboards that follow it."""

from contextlib import ExitStack

import pytest

from tests.support.live_shop import LiveDashboard, LiveShop, replayed_shop


@pytest.fixture(scope="session")
def replayed():
    """Profiles and alerts of a generated shop."""
    return replayed_shop()


@pytest.fixture
def shop(broker, prefix):
    return LiveShop(broker.bootstrap, prefix).make_topics()


@pytest.fixture
def dashboard(shop, tmp_path):
    with ExitStack() as stack:

        def made(name="store.db", **settings):
            found = LiveDashboard(shop, tmp_path / name, **settings)
            stack.callback(found.close)
            return found

        yield made
