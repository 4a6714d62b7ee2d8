"""A PostgreSQL for tests: a cluster in a folder, on a socket there. Where it is not installed tests skip;
STREAM_TEST_REQUIRE=postgres makes that a failure."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.required import give_up

PLACES = [None, *(str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=20"


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a running cluster; pytest.skip with the reason where there is none."""
    initdb, pg_ctl = (_program(name) for name in ("initdb", "pg_ctl"))
    if find_spec("psycopg") is None:
        give_up("postgres", "psycopg is not installed: pip install psycopg[binary]")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        setpriv = shutil.which("setpriv") or give_up(
            "postgres", "PostgreSQL does not run as root, and there is no setpriv"
        )
        as_user = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
        shutil.chown(folder, 65534, 65534)
    data = str(folder / "data")
    try:
        _run([*as_user, initdb, "-D", data, "-A", "trust", "-U", "stream", "-N", "-E", "UTF8"], folder)
        options = f"-k {folder} -c listen_addresses= {FAST}"
        log = str(folder / "log")
        _run([*as_user, pg_ctl, "-D", data, "-o", options, "-l", log, "-w", "start"], folder)
        yield f"postgresql://stream@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*as_user, pg_ctl, "-D", data, "-m", "immediate", "stop"],
            cwd=folder, capture_output=True, check=False,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """All processes of the cluster are stopped (SIGSTOP): it takes connections, and says nothing."""
    (folder,) = parse_qs(urlsplit(url).query)["host"]
    head = int(Path(folder, "data", "postmaster.pid").read_text().split()[0])
    os.kill(head, signal.SIGSTOP)  # first, so that it starts no other
    all_of_it = [head, *map(int, Path(f"/proc/{head}/task/{head}/children").read_text().split())]
    for process in all_of_it:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in all_of_it:
            os.kill(process, signal.SIGCONT)


def _program(name: str) -> str:
    found = next((path for place in PLACES if (path := shutil.which(name, path=place))), None)
    if found is None:
        give_up("postgres", f"{name} is not there: PostgreSQL is not installed")
    return found


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        give_up("postgres", f"PostgreSQL does not start: {(done.stderr or done.stdout)[-300:]}")
