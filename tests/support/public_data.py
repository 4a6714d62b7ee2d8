"""Public data sets, never copied into the repository: found, fetched once, or skipped with the reason."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("STREAM_DATA_CACHE", Path.home() / ".cache" / "customer-stream"))
SDIST = "vaderSentiment-3.3.2"
ROOT = Path(__file__).parents[2]


def vader_ratings(name: str) -> list[tuple[float, str]]:
    """Mean human rating (-4 to 4) and text of one set of VADER's ground truth (Hutto and Gilbert 2014)."""
    folder = _vader_ground_truth()
    rows = (folder / f"{name}_GroundTruth.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    return [(float(row.split("\t")[1]), row.split("\t")[2]) for row in rows]


def gift_card_file() -> Path:
    """Amazon Gift_Cards_5 (McAuley et al.): $STREAM_TEST_REVIEWS, or a data folder beside the repository."""
    named = os.environ.get("STREAM_TEST_REVIEWS")
    places = [Path(named)] if named else []
    places += [place for up in ROOT.parents for place in sorted(up.glob("*/data/Gift_Cards_5.json.gz"))]
    for place in places:
        if place.is_file():
            return place
    pytest.skip("Gift_Cards_5.json.gz is not here: name it in STREAM_TEST_REVIEWS")


def gift_card_reviews() -> list[dict[str, object]]:
    with gzip.open(gift_card_file(), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _vader_ground_truth() -> Path:
    folder = CACHE / "hutto_ICWSM_2014"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = CACHE / f"fresh-{os.getpid()}"
        try:
            _fetch_sdist(fresh)
            with tarfile.open(next(fresh.glob("*.tar.gz"))) as sdist:
                sdist.extract(f"{SDIST}/additional_resources/hutto_ICWSM_2014.tar.gz", fresh, filter="data")
            with tarfile.open(fresh / SDIST / "additional_resources" / "hutto_ICWSM_2014.tar.gz") as ratings:
                ratings.extractall(fresh, filter="data")
            if not folder.is_dir():
                (fresh / "hutto_ICWSM_2014").rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _fetch_sdist(target: Path) -> None:
    pythons = [sys.executable, shutil.which("python3") or "python3"]
    arguments = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "vaderSentiment==3.3.2"]
    for python in pythons:
        done = subprocess.run(
            [python, "-m", "pip", *arguments, "-d", str(target)], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
    pytest.skip(f"the sdist of vaderSentiment 3.3.2 cannot be fetched: {done.stderr.strip()[-200:]}")
