"""schemas/webhook/vectors.json: the libraries of Python and Node take the good ones and no bad one."""

import json
import subprocess
from datetime import UTC, datetime

import pytest

from stream.deliver.plan.signature import secret_key, signed_headers
from tests.support.node_packages import node_folder
from tests.support.webhook_vectors import KEY, NOW, OLD, PATH, text

VECTORS = json.loads(PATH.read_text())
GOOD = [each["name"] for each in VECTORS["good"]]
ALL = [*VECTORS["good"], *VECTORS["bad"]]


def test_there_are_enough_of_both_and_the_file_is_what_its_program_writes():
    assert len(VECTORS["good"]) >= 6
    assert len(VECTORS["bad"]) >= 18
    assert len({each["name"] for each in ALL}) == len(ALL)
    assert PATH.read_text() == text()


@pytest.mark.parametrize("vector", ALL, ids=[each["name"] for each in ALL])
def test_the_library_of_python_takes_the_good_ones_only(vector, monkeypatch):
    webhooks = pytest.importorskip("standardwebhooks.webhooks", reason="not installed: make setup")

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(vector["now"], UTC)

    monkeypatch.setattr(webhooks, "datetime", Clock)
    try:
        webhooks.Webhook(vector["secret"]).verify(vector["body"].encode(), vector["headers"])
        taken = True
    except (webhooks.WebhookVerificationError, ValueError):
        taken = False

    assert taken == (vector["name"] in GOOD)


@pytest.mark.slow  # npm fetches a package
def test_the_library_of_node_takes_the_good_ones_only():
    answer = subprocess.run(
        ["node", "vectors.js"], cwd=node_folder(), input=PATH.read_bytes(), capture_output=True, check=True
    )

    assert json.loads(answer.stdout) == GOOD


def test_the_program_signs_as_the_good_ones_are_signed():
    by_name = {each["name"]: each for each in VECTORS["good"]}
    for name, keys in (
        ("one signature", [KEY]),
        ("two signatures, the receiver has the new one", [KEY, OLD]),
    ):
        vector = by_name[name]
        webhook_id = vector["headers"]["webhook-id"]
        assert (
            signed_headers(keys, webhook_id, NOW * 1_000 + 999, vector["body"].encode()) == vector["headers"]
        )
    assert secret_key(by_name["one signature"]["secret"]) == KEY
