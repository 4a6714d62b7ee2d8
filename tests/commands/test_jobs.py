"""`--jobs N`: every study writes the same bytes for every N, and is ended as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import stream.progress
from stream.commands.main import main
from tests.support.hard_history import NOW, TIED, hard_lines, write_hard_history

STRICT = '[churn_risk]\ntier_min = "platinum"\n[at_risk_loyal]\ntier_min = "gold"\n'
SHOP = '[business]\nzone = "America/Sao_Paulo"\n[finance]\ncurrency = "USD"\nrates = { EUR = "1.1" }\n'
SPLIT = ("--split", "2024-07-01", "--horizon", "8w")
STUDIES: dict[str, list[str]] = {
    "replay": [
        "replay",
        "e.jsonl",
        "--profiles",
        "profiles",
        "--alerts",
        "alerts",
        "--rejects",
        "rejects",
        "--json",
    ],
    "replay, the clock going on": [
        "replay",
        "e.jsonl",
        "--clock-to",
        "2026-01-01",
        "--alerts",
        "alerts",
        "--partitions",
        "4",
    ],
    "policy diff": ["policy", "diff", "default", "strict.toml", "e.jsonl", "--json"],
    "policy diff as text": ["policy", "diff", "default", "strict.toml", "e.jsonl"],
    "replay by another calendar": ["replay", "e.jsonl", "--policy", "shop.toml", "--profiles", "profiles"],
    "explain": f"explain {TIED} --events e.jsonl --json".split(),
    "fit": ["fit", "e.jsonl", "--out", "model", "--json"],
    "fit up to a day": ["fit", "e.jsonl", "--until", "2024-09-09", "--out", "model"],
    "backtest": ["backtest", "e.jsonl", *SPLIT, "--against", "strict.toml", "--json", "--report", "page"],
    "backtest as text": ["backtest", "e.jsonl", *SPLIT, "--precision", "0.6"],
    "report": ["report", "e.jsonl", "--json", "--out", "page"],
    "report by another calendar": ["report", "e.jsonl", "--policy", "shop.toml", "--json"],
    "backtest by another calendar": ["backtest", "e.jsonl", *SPLIT, "--policy", "shop.toml", "--json"],
    "report up to a day": ["report", "e.jsonl", "--out", "page", "--until", "2024-09-01"],
}
SECONDS = re.compile(rb'(?<="seconds":)\s?[\d.]+|\d+\.\d s\b')
"""How long a study took is all that may differ."""


def outputs(folder: Path, words: list[str], *more: str) -> dict[str, bytes]:
    """Exit code, standard output and error, and every file that a command writes."""
    before = set(folder.iterdir())
    answer = CliRunner().invoke(main, [*words, "--now", NOW, *more])
    written = sorted(set(folder.iterdir()) - before)
    found = {path.name: path.read_bytes() for path in written}
    for path in written:
        path.unlink()
    found |= {"code": str(answer.exit_code).encode(), "out": answer.stdout_bytes, "err": answer.stderr_bytes}
    return {name: SECONDS.sub(b"", content) for name, content in found.items()}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stream.progress, "PLAIN_EVERY_S", 3_600.0)  # plain lines depend on the machine
    (tmp_path / "strict.toml").write_text(STRICT)
    (tmp_path / "shop.toml").write_text(SHOP)
    return write_hard_history(tmp_path / "e.jsonl").parent


@pytest.mark.parametrize("study", ["replay", "policy diff", "backtest", "report"])
def test_a_study_writes_the_same_bytes_with_any_number_of_processes(study, folder):
    write_hard_history(folder / "e.jsonl", customers=10, days=300)
    one = outputs(folder, STUDIES[study], "--jobs", "1")

    assert outputs(folder, STUDIES[study], "--jobs", "3") == one
    assert one["code"] in {b"0", b"1"}, one["err"]


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_a_longer_study_writes_the_same_bytes_with_2_3_and_8_processes(study, folder):
    write_hard_history(folder / "e.jsonl", customers=120, days=460)
    one = outputs(folder, STUDIES[study], "--jobs", "1")

    for jobs in ("2", "3", "8"):
        assert outputs(folder, STUDIES[study], "--jobs", jobs) == one


@pytest.mark.slow
@pytest.mark.parametrize("history", ["one customer", "no event", "no purchase", "several files"])
@pytest.mark.parametrize("study", ["replay", "policy diff", "fit", "backtest", "report"])
def test_more_processes_than_customers_change_nothing(history, study, folder):
    words = STUDIES[study]
    lines = list(hard_lines())
    tied = [line for line in lines if f'"{TIED}"'.encode() in line]
    visits = [line for line in lines if b"engagement." in line][:200]
    chosen = {"one customer": tied, "no event": [], "no purchase": visits, "several files": lines[::2]}
    (folder / "e.jsonl").write_bytes(b"\n".join(chosen[history]))
    if history == "several files":
        (folder / "more.jsonl").write_bytes(b"\n".join(lines[1::2]))
        place = words.index("e.jsonl")
        words = [*words[:place], "more.jsonl", *words[place:]]
    one = outputs(folder, words, "--jobs", "1")

    assert outputs(folder, words, "--jobs", "5") == one


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", "1025"])
@pytest.mark.parametrize("study", ["replay", "policy diff", "explain", "fit", "backtest", "report"])
def test_a_number_of_processes_that_is_none_is_refused(jobs, study, folder):
    answer = CliRunner().invoke(main, [*STUDIES[study], "--jobs", jobs])

    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1].startswith("Error: Invalid value for '--jobs': ")
