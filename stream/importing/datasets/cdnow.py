"""CDNOW as events: 69,659 purchases of 23,570 customers won in early 1997, or the published one-in-ten.

The text files lie in the archived package lifetimes, which does not import beside today's numpy: so they are
found in an installed copy without importing it, or read out of its wheel, fetched once into the user's cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from stream.core.events.event import Event, PurchaseCompleted
from stream.core.events.payload import Product, Purchase
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.importing.in_time import in_time

SOURCE = "/cdnow"
MASTER, SAMPLE = "CDNOW_master.txt", "CDNOW_sample.txt"
PACKAGE = "lifetimes==0.11.3"
PATH_VARIABLE = "STREAM_CDNOW"
"""A folder that holds the text files, when there is no package index to fetch them from."""


def events(*, sample: bool = False, folder: Path | None = None) -> Iterator[Event]:
    """Every purchase in time order; a customer has the same id in both files."""
    text = _text(SAMPLE if sample else MASTER, folder)
    lines = enumerate(text.splitlines(), start=1)
    found = [_purchase(number, line) for number, line in lines if line[:6].strip().isdigit()]
    return iter(sorted(found, key=in_time))


def _purchase(number: int, line: str) -> Event:
    """`00004 [0001] 19970101 2 29.33`: customer, the sample's own number, day, CDs, dollars."""
    customer, *_, day, count, dollars = line.split()
    pieces, cents = int(count), _cents(dollars)
    disc = Product(
        product_id="cd",
        quantity=max(pieces, 1),
        price_minor=(2 * cents + pieces) // (2 * pieces) if pieces else cents,
        category="Music",
    )
    return PurchaseCompleted(
        id=f"purchase-{number}",
        source=SOURCE,
        subject=f"cdnow-{customer}",
        time=datetime(int(day[:4]), int(day[4:6]), int(day[6:]), tzinfo=UTC),
        data=Purchase(order_id=f"line-{number}", total_minor=cents, currency="USD", products=(disc,)),
    )


def _cents(dollars: str) -> int:
    whole, _, part = dollars.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def _text(name: str, folder: Path | None) -> str:
    """From the folder that was named, else an installed lifetimes, else its wheel."""
    named = folder or (Path(os.environ[PATH_VARIABLE]) if os.environ.get(PATH_VARIABLE) else None)
    if named is not None:
        if not (named / name).is_file():
            raise SourceUnavailableError(f"{named / name} does not exist (--path or {PATH_VARIABLE})")
        return (named / name).read_text()
    installed = find_spec("lifetimes")
    if installed is not None and installed.origin is not None:
        return (Path(installed.origin).parent / "datasets" / name).read_text()
    with zipfile.ZipFile(_wheel()) as wheel:
        return wheel.read(f"lifetimes/datasets/{name}").decode()


def _wheel() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "customer-stream"
    wheels = [*cache.glob("[Ll]ifetimes-0.11.3-*.whl")]
    if not wheels:
        _fetch(cache)
        wheels = [*cache.glob("[Ll]ifetimes-0.11.3-*.whl")]
    return wheels[0]


def _fetch(cache: Path) -> None:
    """pip fetches to a place of its own first: an interrupted download is never taken for the wheel."""
    pip = [sys.executable, "-m", "pip"] if find_spec("pip") else [shutil.which("pip3") or "pip"]
    partial = cache / f"partial-{os.getpid()}"
    try:
        partial.mkdir(parents=True)
        command = [*pip, "download", "--quiet", "--no-deps", "--dest", str(partial), PACKAGE]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        for wheel in partial.glob("*.whl"):
            wheel.replace(cache / wheel.name)
    except (OSError, subprocess.SubprocessError) as failure:
        raise SourceUnavailableError(
            f"CDNOW comes with the Python package {PACKAGE}, which could not be fetched "
            f"({_last_line(failure)}). Install it, or point {PATH_VARIABLE} or --path at a folder with "
            f"{MASTER} and {SAMPLE}."
        ) from failure
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _last_line(failure: Exception) -> str:
    told = getattr(failure, "stderr", None) or str(failure)
    return str(told).strip().splitlines()[-1]
