"""The package names the version that is distributed."""

import tomllib
from pathlib import Path

from stream import __version__

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


def test_the_package_and_the_distribution_have_one_version():
    assert __version__ == PROJECT["version"]
    assert __version__.count(".") == 2
