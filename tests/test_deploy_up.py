"""deploy/up ends well only when every service is. Here a program answers like docker, and a page answers.

The real containers are started by `make compose-test`.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WELL = """kafka Up 2 minutes (healthy)
topics Exited (0) 3 seconds ago
worker Up 10 seconds (healthy)
worker Up About a minute (healthy)
mine Up Less than a second
"""
DOCKER = """#!/bin/sh
case "$*" in
  "compose ps "*)
    cat "$ANSWERS/states"
    if [ -e "$ANSWERS/later" ]; then mv "$ANSWERS/later" "$ANSWERS/states"; fi
    ;;
  "compose up "*) echo "$*" >"$ANSWERS/up" ;;
esac
"""


def brought_up(folder: Path, *states: str, words: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """What deploy/up does where `docker compose ps` says so, at first and later."""
    copy = folder / "copy" / "deploy"
    (copy / "compose").mkdir(parents=True)
    for name in ("up", "compose/keys"):
        (copy / name).write_text((ROOT / "deploy" / name).read_text())
    for name, text in (("docker", DOCKER), ("curl", "#!/bin/sh\n"), ("sleep", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name, text in zip(("states", "later"), states, strict=False):
        (folder / name).write_text(text)
    path, patience_s = f"{folder}:{os.environ['PATH']}", 60 * len(states) - 60
    env = {**os.environ, "PATH": path, "ANSWERS": str(folder), "UP_PATIENCE_S": str(patience_s)}
    return subprocess.run(
        ["bash", copy / "up", *words], capture_output=True, text=True, check=False, env=env, timeout=60
    )


def test_where_every_service_is_well_it_says_where_to_look(tmp_path):
    done = brought_up(tmp_path, WELL.replace("(healthy)", "(health: starting)"), WELL)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("http://localhost:9090 (Prometheus).\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("worker Up 10 seconds (healthy)", "worker Restarting (78) 2 seconds ago"),
        ("worker Up 10 seconds (healthy)", "worker Up Less than a second (health: starting)"),
        ("worker Up 10 seconds (healthy)", "worker Up 10 seconds (unhealthy)"),
        ("kafka Up 2 minutes (healthy)", "kafka Exited (137) 2 minutes ago"),
        ("kafka Up 2 minutes (healthy)", "kafka Up 2 minutes (Paused)"),
        ("topics Exited (0) 3", "topics Exited (1) 3"),
        ("topics Exited (0) 3 seconds ago", "topics Created"),
    ],
)
def test_a_service_that_is_not_well_is_named_with_what_to_look_at(tmp_path, right, wrong):
    assert right in WELL
    done = brought_up(tmp_path, WELL.replace(right, wrong))

    name = wrong.split()[0]
    assert done.returncode == 2
    assert done.stderr.endswith(f"up: not well: {name} (docker compose ps; docker compose logs {name})\n")
    assert "Look at" not in done.stdout


def test_its_words_are_those_of_docker_compose_up(tmp_path):
    brought_up(tmp_path, WELL, words=("--scale", "worker=3"))

    assert (tmp_path / "up").read_text() == "compose up --detach --build --scale worker=3\n"
