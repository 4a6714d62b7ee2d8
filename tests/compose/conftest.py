"""The whole set-up in containers, by `make compose-test` alone: it takes minutes, and some ports."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.composed import Composed, shorter, why_not

BY_MAKE = "COMPOSE_TEST"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not() if os.environ.get(BY_MAKE) else "run by make compose-test"
    for item in items:
        if reason and item.get_closest_marker("compose"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """Every service of docker-compose.yml, well."""
    whole = Composed(tmp_path_factory.mktemp("compose"), shorter)
    whole.down()
    try:
        whole.up()
        yield whole
    finally:
        folder = os.environ.get("COMPOSE_TEST_LOGS")
        if folder:
            text = whole.run("ps", "--all", check=False) + whole.run("logs", "--no-color", check=False)
            Path(folder, "compose.log").write_text(text)
        whole.down()
