"""Stores of workers and published reports on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stream.commands.deliver import queue_of
from stream.config.settings import Settings
from stream.engine.state.store import DiskStore
from stream.look.html import html_text
from stream.privacy.erasure import LocalStores, local_reports
from stream.privacy.local_files import published_reports, worker_stores
from tests.support.narrow import not_none


def made(data_dir: Path, partition: int = 3) -> DiskStore:
    store = DiskStore(data_dir / "worker-2" / str(partition), "a/rows/3")
    store.put_all([(b"zoe", b"{}"), (b"max", b"{}")])
    return store


def test_a_store_that_nobody_has_open_is_removed_and_others_stay(tmp_path):
    made(tmp_path).close()
    made(tmp_path, 13).close()
    assert worker_stores(tmp_path, 3, "zoe", dry_run=True).state == "holds"

    first, second = (worker_stores(tmp_path, 3, "zoe", dry_run=False) for _ in range(2))

    assert first == second
    assert first.state == "absent"
    assert (tmp_path / "worker-2" / "13" / "rows").is_dir()


HOLD = """
import sys
import subprocess
import sys
from pathlib import Path
from stream.engine.state.store import DiskStore
store = DiskStore(Path(sys.argv[1]), "a/rows/3")
store.put_all([(b"zoe", b"{}")])
store._database.flush()
print("open", flush=True)
sys.stdin.readline()
store.put_all([(b"zoe", None)])
store._cleaning.end()
print("deleted", flush=True)
sys.stdin.readline()
"""


def test_a_store_of_a_running_worker_is_left_to_it_until_it_has_deleted_the_row(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "3")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        output, input_ = not_none(worker.stdout), not_none(worker.stdin)
        assert output.readline() == b"open\n"
        report = worker_stores(tmp_path, 3, "zoe", dry_run=False)
        assert (report.state, report.left) == ("waits", 1)

        input_.write(b"\n")
        input_.flush()
        assert output.readline() == b"deleted\n"
        assert worker_stores(tmp_path, 3, "zoe", dry_run=False).state == "absent"
        assert (tmp_path / "3" / "rows").is_dir()


@pytest.mark.parametrize(
    ("content", "left"), [(b'{"top": ["c-4"]}', 1), (b"<td>c-4</td>", 1), (b'{"top": ["c-42", "xc-4"]}', 0)]
)
def test_published_files_that_name_the_customer_are_removed(tmp_path, content, left):
    (tmp_path / "report.json").write_bytes(content)
    (tmp_path / "picture.png").write_bytes(content)
    assert published_reports([tmp_path], "c-4", dry_run=True)[0].left == left

    (report,) = published_reports([tmp_path], "c-4", dry_run=False)

    assert (report.state, report.left) == ("clean", 0)
    assert (tmp_path / "report.json").exists() is (left == 0)
    assert published_reports([tmp_path], "c-4", dry_run=False) == [report]


@pytest.mark.parametrize("customer", ["jörg@example.de", 'a "b" \\', "o'neil & <sons>", "a\u202eb", "👩/7"])
@pytest.mark.parametrize(
    "written", [json.dumps, lambda name: json.dumps(name, ensure_ascii=False), html_text]
)
def test_an_id_is_found_however_a_file_spells_it(tmp_path, customer, written):
    (tmp_path / "backtest.json").write_text(f'{{"only_b": [{written(customer)}]}}', encoding="utf-8")

    found = published_reports([tmp_path], customer, dry_run=True)

    assert found[0].left == 1


def test_a_folder_that_is_not_there_is_absent(tmp_path):
    assert published_reports([tmp_path / "none"], "c-4", dry_run=False)[0].state == "absent"


def test_a_store_that_is_not_seen_from_here_is_no_store_that_is_empty(tmp_path):
    """Run where no store is, the report names who erases there: nobody takes `absent` for `clean`."""
    stores = LocalStores(read_store="", queue=str(tmp_path / "none.db"), open_queue=queue_of, data_dir=None)
    reports = list(local_reports(Settings(), "zoe", stores, None, 0, dry_run=True))

    assert [(each.store.split(" /")[0], each.state) for each in reports] == [
        ("read store", "absent"),
        ("delivery queue", "absent"),
    ]
    assert "a running dashboard erases its own when it reads the erasure" in reports[0].note
    assert "a running `stream deliver` erases its own when it reads the erasure" in reports[1].note
    assert not list(tmp_path.iterdir())
