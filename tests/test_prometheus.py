"""Prometheus' own tool checks and tests the rules; each alert says what it means and what to do first."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from stream.commands.main import main
from tests.support.command_tree import all_commands
from tests.support.required import give_up

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
NAMES = [rule["alert"] for rule in RULES]


@pytest.fixture(scope="module")
def promtool():
    """Runs promtool: its output and whether it was content."""
    program = shutil.which("promtool")
    if program is None:
        give_up("promtool", "promtool is not installed (Debian: prometheus)")

    def run(*words: object) -> tuple[str, bool]:
        command = [program, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER, check=False)
        return done.stdout + done.stderr, done.returncode == 0

    return run


def test_promtool_finds_no_fault_in_configuration_and_rules(promtool):
    for words in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "rules.yml"),
    ):
        text, content = promtool(*words)

        assert content, text


def test_a_planted_fault_is_found(promtool, tmp_path):
    broken = tmp_path / "rules.yml"
    broken.write_text((FOLDER / "rules.yml").read_text().replace("absent(up{", "absend(up{"))

    text, content = promtool("check", "rules", broken)

    assert not content
    assert "absend" in text


@pytest.mark.slow  # promtool plays months of samples
def test_every_alert_fires_when_it_should_and_ends(promtool):
    tests = sorted(FOLDER.glob("*.test.yml"))
    text, content = promtool("test", "rules", *tests)

    assert content, text
    tried = [test["name"] for path in tests for test in yaml.safe_load(path.read_text())["tests"]]
    assert sorted({name.partition(":")[0] for name in tried}) == sorted(NAMES)


@pytest.mark.slow
def test_an_alert_that_fires_too_late_is_found(promtool, tmp_path):
    slower = (FOLDER / "rules.yml").read_text().replace("for: 10m", "for: 5h")
    (tmp_path / "rules.yml").write_text(slower)
    shutil.copy(FOLDER / "rules.test.yml", tmp_path)

    text, content = promtool("test", "rules", tmp_path / "rules.test.yml")

    assert not content
    assert "NotReady" in text


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_says_what_it_is_what_it_means_and_what_to_do_first(rule):
    notes = rule["annotations"]

    assert set(notes) == {"summary", "meaning", "first", "runbook_url"}
    assert notes["runbook_url"] == f"{{{{ $externalLabels.docs }}}}/runbook.md#{rule['alert'].lower()}"
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert "for" in rule
    assert len(notes["first"].split("; ")) == 3


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_commands_to_begin_with_exist(rule):
    commands = {name for name, _ in all_commands(main, "stream")}
    services = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
    for line in rule["annotations"]["first"].split("; "):
        words = [word for word in line.split() if not word.startswith("-")]
        if words[0] == "stream":
            assert " ".join(words[:3]) in commands or " ".join(words[:2]) in commands, line
        elif words[0] == "docker":
            named = re.findall(r"\b(worker|kafka|deliver|dashboard|prometheus)(?:=\d+)?$", line)
            assert set(named) <= services, line
        else:
            assert re.match(r"curl -s localhost:(6066|8080)/(readyz|metrics)$", line), line


def test_prometheus_asks_every_process_that_the_rules_watch():
    jobs = {
        each["job_name"] for each in yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    }
    watched = set(re.findall(r'job="([^"]+)"', (FOLDER / "rules.yml").read_text()))

    assert watched <= jobs


def test_the_example_of_alertmanager_silences_only_alerts_that_exist():
    example = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    matchers = [
        matcher
        for rule in example["inhibit_rules"]
        for side in ("source_matchers", "target_matchers")
        for matcher in rule[side]
    ]
    named = {name for matcher in matchers for name in re.findall(r"[A-Z]\w+", matcher)}
    receivers = {each["name"] for each in example["receivers"]}

    assert named <= set(NAMES)
    asked = {example["route"]["receiver"], *(each["receiver"] for each in example["route"]["routes"])}
    assert asked == receivers
