"""Wheel and sdist hold what an installation needs, and no tests. `make wheel` installs and runs the wheel."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from stream import __version__

ROOT = Path(__file__).parent.parent
DATA = {
    "stream/py.typed",
    "stream/data/policy.default.toml",
    "stream/data/model.default.json",
    "stream/demo/model.json",
    "stream/importing/files/mapping/ready/shopify-orders.toml",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def names_in_wheel(folder: Path) -> set[str]:
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_the_package_with_its_data(built):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "stream").rglob("*.py")}

    assert (modules | DATA) - names_in_wheel(built) == set()


def test_the_wheel_holds_nothing_else(built):
    tops = {name.partition("/")[0] for name in names_in_wheel(built)}

    assert tops == {"stream", f"customer_stream-{__version__}.dist-info"}


def test_the_sdist_can_be_built_and_tested(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "requirements.lock",
        "tests/conftest.py",
        *DATA,
    } <= names
    assert not any(name.startswith((".venv/", ".git/")) for name in names)
