"""docs/delivery/n8n.json: every node is connected, and its check takes the good vectors only."""

import json
import shutil
import subprocess

import pytest

from tests.support.node_packages import SOURCE
from tests.support.pages import ROOT
from tests.support.webhook_vectors import PATH

VECTORS = json.loads(PATH.read_text())
WORKFLOW = json.loads((ROOT / "docs" / "delivery" / "n8n.json").read_text())
NODES = {each["name"]: each for each in WORKFLOW["nodes"]}


def test_every_node_is_reached_from_the_webhook_and_no_connection_leads_nowhere():
    reached, waiting = set(), ["Alerts"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        ways = WORKFLOW["connections"].get(name, {}).get("main", [])
        waiting += [each["node"] for way in ways for each in way if each["node"] not in reached]

    assert reached == set(NODES)
    assert NODES["Alerts"]["parameters"]["options"]["rawBody"] is True
    assert len({each["id"] for each in WORKFLOW["nodes"]}) == len(NODES)


def test_its_check_takes_the_good_vectors_only():
    if shutil.which("node") is None:
        pytest.skip("node is not there")
    given = {"code": NODES["Check signature"]["parameters"]["jsCode"], "vectors": VECTORS}
    answer = subprocess.run(
        ["node", str(SOURCE / "n8n.js")],
        input=json.dumps(given), capture_output=True, check=True, text=True,
    )  # fmt: skip

    assert json.loads(answer.stdout) == [each["name"] for each in VECTORS["good"]]
