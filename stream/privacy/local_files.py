"""Files on this machine that may hold a customer: stores of workers (RocksDB), and published reports."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from stream.look.html import html_text
from stream.ops.about_customer import json_spellings
from stream.printable import printable
from stream.privacy.report import StoreReport

STORE_NOTE = (
    "a running worker deletes and compacts the row itself; a store that no worker has open is removed, and "
    "is rebuilt from the profiles topic"
)
REPORT_NOTE = "a file that names the customer is removed: publish the study again"
SUFFIXES = {".json", ".jsonl", ".html", ".csv", ".txt"}


def worker_stores(data_dir: Path, partition: int, customer: str, *, dry_run: bool) -> StoreReport:
    """The stores of a partition under STREAM_DATA_DIR, also of `stream worker --processes`."""
    name = f"worker stores {data_dir}"
    folders = [path.parent.parent for path in sorted(data_dir.glob(f"**/{partition}/rows/CURRENT"))]
    if not folders:
        return StoreReport(name, "now", "absent", note=STORE_NOTE)
    left = 0
    for folder in folders:
        try:
            if not _in_use(folder) and not dry_run:
                shutil.rmtree(folder)
            else:
                left += _holds(folder / "rows", customer.encode())
        except Exception as wrong:  # rocksdict has no error class of its own
            return StoreReport(name, "now", "failed", note=f"{folder}: {wrong}")
    if left and not dry_run:
        return StoreReport(name, "now", "waits", left, note=STORE_NOTE)
    return StoreReport(name, "now", "holds" if left else "absent", left, note=STORE_NOTE)


def _in_use(folder: Path) -> bool:
    """Whether a process has the store open: RocksDB locks this file."""
    lock = folder / "rows" / "LOCK"
    if not lock.exists():
        return False
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _holds(rows: Path, key: bytes) -> bool:
    import rocksdict

    options = rocksdict.Options(raw_mode=True)
    database = rocksdict.Rdict(str(rows), options, access_type=rocksdict.AccessType.read_only(False))
    try:
        return database.get(key) is not None
    finally:
        database.close()


def published_reports(folders: list[Path], customer: str, *, dry_run: bool) -> list[StoreReport]:
    """The folders that `--publish` of studies wrote into."""
    reports, marks = [], _spellings(customer)
    for folder in folders:
        name = f"published reports {folder}"
        try:
            naming = [
                path
                for path in sorted(folder.iterdir())
                if path.suffix in SUFFIXES and any(_names(path.read_bytes(), mark) for mark in marks)
            ]
            if not dry_run:
                for path in naming:
                    path.unlink()
        except FileNotFoundError:
            reports.append(StoreReport(name, "now", "absent", note=REPORT_NOTE))
        except OSError as error:
            reports.append(StoreReport(name, "now", "failed", note=error.strerror or str(error)))
        else:
            left = len(naming) if dry_run else 0
            reports.append(StoreReport(name, "now", "holds" if left else "clean", left, note=REPORT_NOTE))
    return reports


def _spellings(customer: str) -> frozenset[bytes]:
    """How the files may write an id: as text, in JSON, in HTML, and fit for a terminal or a page."""
    texts = (customer, printable(customer), html_text(customer))
    return json_spellings(customer) | {text.encode() for text in texts}


def _names(content: bytes, mark: bytes) -> bool:
    """Whether the id stands there as a whole: `c-4` is not in `c-42`."""
    at = content.find(mark)
    while at >= 0:
        around = content[at - 1 : at] + content[at + len(mark) : at + len(mark) + 1]
        if not any(byte in b"-_." or chr(byte).isalnum() for byte in around):
            return True
        at = content.find(mark, at + 1)
    return False
