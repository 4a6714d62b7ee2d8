"""The engine runs only with the client versions whose internals it uses, and knows those internals."""

import asyncio
import tomllib
from pathlib import Path

import faust
import pytest
from confluent_kafka import Consumer

from stream.engine.client_internals import SUPPORTED, check_versions, group_metadata
from tests.support.toy_app import toy_app, toy_options

ROOT = Path(__file__).parent.parent.parent


def test_another_version_of_a_client_is_refused_with_both_versions():
    with pytest.raises(ImportError) as failure:
        check_versions({**SUPPORTED, "aiokafka": "0.15.0"})

    assert str(failure.value) == (
        "stream.engine relies on internals of its clients: "
        "aiokafka 0.15.0 is installed, only 0.14.0 is supported"
    )


def test_the_versions_supported_are_those_that_are_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = dict(each.split("==") for each in project["dependencies"] if "==" in each)

    assert {name.partition("[")[0]: version for name, version in pinned.items()}.items() >= SUPPORTED.items()


def test_the_group_metadata_of_a_member_that_did_not_join_is_the_client_s_own():
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "shop", "log_level": 0})
    try:
        assert group_metadata("shop", -1, "") == bytes(consumer.consumer_group_metadata())
    finally:
        consumer.close()


def test_a_member_and_its_generation_are_in_the_group_metadata():
    assert group_metadata("shop", 7, "me") == b"CGMDv2:\x07\x00\x00\x00shop\x00me\x00\x01"


def test_a_start_creates_nothing_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    app = toy_app(toy_options("127.0.0.1:1", "toy", producer={"log_level": 0}), "toy")

    asyncio.run(app.on_first_start())
    ours = list(tmp_path.iterdir())
    faust.App._create_directories(app)

    assert ours == []
    assert [path.name for path in tmp_path.iterdir()] == ["toy-app-data"], "what Faust would create by itself"
