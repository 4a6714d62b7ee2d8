"""requirements.lock pins, by hash, everything that pyproject.toml asks for, and names no registry."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
IMAGE_LOCK = (ROOT / "deploy" / "requirements.lock").read_text()
DEMO_LOCK = (ROOT / "deploy" / "demo.lock").read_text()
AUDIT_LOCK = (ROOT / "deploy" / "audit.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str = LOCK) -> dict[str, set[str]]:
    """Name -> the versions pinned; more than one where a marker chooses by Python version."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, flags=re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def wanted() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = [each for name, each in PROJECT["dependency-groups"].items() if name != "audit"]
    named = [one for many in (*extras, *groups) for one in many if isinstance(one, str)]
    return [*PROJECT["project"]["dependencies"], *named]


@pytest.mark.parametrize("line", wanted())
def test_the_lock_satisfies_pyproject(line):
    requirement = Requirement(line)

    versions = pins().get(canonicalize_name(requirement.name), set())

    assert versions, f"{requirement.name} is not in requirements.lock: make lock"
    for version in versions:
        assert requirement.specifier.contains(version), f"{line} but {version} is locked: make lock"


def test_the_image_has_the_tested_versions_and_no_tools():
    image, tested = pins(IMAGE_LOCK), pins()

    assert {
        name: versions for name, versions in image.items() if not versions <= tested.get(name, set())
    } == {}
    assert not {"pytest", "ruff", "pandas", "scipy"} & set(image)
    for line in [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["rocksdb"],
        *PROJECT["project"]["optional-dependencies"]["dashboard"],
    ]:
        assert canonicalize_name(Requirement(line).name) in image, f"{line}: make lock"


def test_the_demo_has_the_tested_versions_and_no_tools_of_tests():
    demo, tested = pins(DEMO_LOCK), pins()

    assert {
        name: versions for name, versions in demo.items() if not versions <= tested.get(name, set())
    } == {}
    assert not {"pytest", "ruff", "mypy", "playwright", "testcontainers", "rocksdict"} & set(demo)
    extras = PROJECT["project"]["optional-dependencies"]
    for line in [*PROJECT["project"]["dependencies"], *extras["demo"], *extras["dashboard"], *extras["fit"]]:
        assert canonicalize_name(Requirement(line).name) in demo, f"{line}: make lock"


@pytest.mark.parametrize("line", PROJECT["dependency-groups"]["audit"])
def test_what_audits_is_pinned_by_itself(line):
    (version,) = pins(AUDIT_LOCK)[canonicalize_name(Requirement(line).name)]

    assert Requirement(line).specifier.contains(version)
    assert canonicalize_name(Requirement(line).name) not in pins()


@pytest.mark.parametrize(
    "lock", [LOCK, IMAGE_LOCK, DEMO_LOCK, AUDIT_LOCK], ids=["all", "image", "demo", "audit"]
)
def test_every_pin_carries_a_hash(lock):
    entries = re.split(r"\n(?=\S)", lock)

    bare = [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry]

    assert bare == []


def test_the_locks_name_no_registry():
    assert "://" not in LOCK + IMAGE_LOCK + DEMO_LOCK + AUDIT_LOCK
