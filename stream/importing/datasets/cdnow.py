"""CDNOW: 69,659 purchases of the 23,570 customers who first bought in early 1997, or the one-in-ten sample.

The text files are part of the archived Python package lifetimes, which fails to import with a current numpy.
They are read from an installed copy without importing it, or from its wheel, downloaded once into the user's
cache folder. Data: Fader and Hardie, "Forecasting Repeat Sales at CDNOW", Interfaces 31(3), 2001.
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
from stream.importing.event_order import event_order

SOURCE = "/cdnow"
MASTER, SAMPLE = "CDNOW_master.txt", "CDNOW_sample.txt"
PACKAGE = "lifetimes==0.11.3"
WHEEL = "[Ll]ifetimes-0.11.3-*.whl"
PATH_VARIABLE = "STREAM_CDNOW"
"""Environment variable: a folder with the text files, where no package index can be reached."""


def cdnow_events(*, sample: bool = False, folder: Path | None = None) -> Iterator[Event]:
    """Every purchase in time order; a customer has the same id in the sample and in the full file."""
    text = _read_text(SAMPLE if sample else MASTER, folder)
    lines = enumerate(text.splitlines(), start=1)
    purchases = [_purchase(number, line) for number, line in lines if line[:6].strip().isdigit()]
    return iter(sorted(purchases, key=event_order))


def _purchase(number: int, line: str) -> Event:
    """`00004 [0001] 19970101 2 29.33`: customer, customer number within the sample, day, CDs, dollars.

    The price of one CD is the line's amount divided by the CDs, rounded half up to whole cents.
    """
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


def source_files(folder: Path | None) -> list[Path]:
    """The files that are read: in `folder`, else in STREAM_CDNOW, else an installed package or its wheel."""
    named = _named_folder(folder)
    if named is not None:
        return [named / MASTER, named / SAMPLE]
    installed = find_spec("lifetimes")
    if installed is not None and installed.origin is not None:
        return [Path(installed.origin).parent / "datasets" / name for name in (MASTER, SAMPLE)]
    return [*_cache().glob(WHEEL)]


def _named_folder(folder: Path | None) -> Path | None:
    return folder or (Path(os.environ[PATH_VARIABLE]) if os.environ.get(PATH_VARIABLE) else None)


def _read_text(name: str, folder: Path | None) -> str:
    """From the given folder, else from an installed lifetimes, else from its wheel."""
    named = _named_folder(folder)
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
    wheels = [*_cache().glob(WHEEL)]
    if not wheels:
        _download(_cache())
        wheels = [*_cache().glob(WHEEL)]
    return wheels[0]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "customer-stream"


def _download(cache: Path) -> None:
    """Download the wheel by pip; into a separate folder first, so that a partial file is never used."""
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
            f"CDNOW comes with the Python package {PACKAGE}, which could not be downloaded "
            f"({_last_line(failure)}). Install it, or set {PATH_VARIABLE} or --path to a folder with "
            f"{MASTER} and {SAMPLE}."
        ) from failure
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _last_line(failure: Exception) -> str:
    message = getattr(failure, "stderr", None) or str(failure)
    return str(message).strip().splitlines()[-1]
