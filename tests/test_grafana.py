"""The boards of Grafana: as their source has them, of metrics that exist, with queries that can be read."""

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.support.metric_names import metrics_named, series
from tests.support.required import give_up

FOLDER = Path(__file__).parent.parent / "deploy" / "grafana"
BOARDS = ("operations.json", "business.json")


@pytest.fixture(scope="module")
def source():
    return runpy.run_path(str(FOLDER / "make_boards.py"))


def panels(board: str) -> list[dict]:
    return [each for each in json.loads((FOLDER / board).read_text())["panels"] if each["type"] != "row"]


def queries(board: str) -> list[str]:
    return [target["expr"] for panel in panels(board) for target in panel["targets"]]


@pytest.mark.parametrize("name", BOARDS)
def test_the_file_is_what_its_source_makes(source, name):
    assert (FOLDER / name).read_text() == source["text_of"](name), "python deploy/grafana/make_boards.py"


@pytest.mark.parametrize("name", BOARDS)
def test_every_metric_that_a_board_asks_for_exists(name):
    asked = metrics_named(" ".join(queries(name)))

    assert asked
    assert asked - series() == set()


@pytest.mark.parametrize("name", BOARDS)
def test_a_panel_says_what_it_shows_in_which_unit_from_the_source_that_is_chosen(name):
    for panel in panels(name):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${source}"
        assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_side_by_side_and_never_over_each_other(name):
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((FOLDER / name).read_text())["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def rules_of(asked: list[str]) -> str:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(asked)]
    return str(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))


@pytest.fixture
def parsed(tmp_path):
    """What promtool makes of queries."""
    program = shutil.which("promtool")
    if program is None:
        give_up("promtool", "promtool is not installed (Debian: prometheus)")

    def run(asked: list[str]) -> tuple[str, bool]:
        (tmp_path / "queries.yml").write_text(rules_of(asked))
        command = [program, "check", "rules", tmp_path / "queries.yml"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr, done.returncode == 0

    return run


@pytest.mark.parametrize("name", BOARDS)
def test_prometheus_reads_every_query(parsed, name):
    text, content = parsed(queries(name))

    assert content, text


def test_a_planted_fault_in_a_query_is_found(parsed):
    assert not parsed([queries(BOARDS[0])[0].replace("sum(", "sum by (")])[1]


def answers(asked: list[str]) -> Callable[[str], list[dict]]:
    """A Prometheus that has one line for every query, with a value that is no number in it."""

    def ask(query: str) -> list[dict]:
        asked.append(query)
        return [{"metric": {"topic": "<purchases>"}, "values": [[0, "1"], [30, "NaN"], [60, "3"]]}]

    return ask


@pytest.mark.parametrize("name", BOARDS)
def test_a_picture_has_every_panel_of_the_board_and_asks_what_it_asks(name):
    drawing = runpy.run_path(str(FOLDER / "draw_boards.py"))
    asked: list[str] = []
    svg = drawing["picture"](json.loads((FOLDER / name).read_text()), answers(asked), 0.0, 60.0)
    words = {each.text for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}

    assert sorted(asked) == sorted(queries(name))
    assert {panel["title"] for panel in panels(name)} <= words
    assert "nan" not in svg.lower().replace("finance", "")


@pytest.mark.parametrize("name", BOARDS)
def test_the_picture_in_docs_is_of_the_board_as_it_is(name):
    """Drawn again after a change: python deploy/grafana/draw_boards.py http://localhost:9090 docs."""
    svg = (FOLDER.parents[1] / "docs" / f"board-{name.removesuffix('.json')}.svg").read_text()
    words = {each.text for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}

    assert {panel["title"] for panel in panels(name)} <= words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.25, "percentunit", "25%"),
        (0.0124, "s", "12.4 ms"),
        (90.0, "s", "90 s"),
        (600.0, "s", "10 min"),
        (10_800.0, "s", "3 h"),
        (2_592_000.0, "s", "30 d"),
        (3 * 2**20, "bytes", "3 MiB"),
        (12_345.0, "ops", "12,345/s"),
        (0.5, "none", "0.5"),
        (7.0, "none", "7"),
    ],
)
def test_a_value_is_written_in_its_unit(value, unit, words):
    assert runpy.run_path(str(FOLDER / "draw_boards.py"))["in_unit"](value, unit) == words


def test_boards_and_the_source_of_data_are_provisioned():
    found = [yaml.safe_load(path.read_text()) for path in sorted((FOLDER / "provisioning").rglob("*.yml"))]
    uids = [json.loads((FOLDER / name).read_text())["uid"] for name in BOARDS]

    assert [each["apiVersion"] for each in found] == [1, 1]
    assert len(set(uids)) == 2
    assert all(re.fullmatch(r"[a-z-]{8,40}", uid) for uid in uids)
