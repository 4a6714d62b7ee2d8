"""`stream dashboard`: sources, refusals in one line, and a process that serves until it is stopped."""

import signal
from contextlib import ExitStack

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.model_file import default_model
from tests.support.dashboard_process import dashboard_process, fetched
from tests.support.replayed_shop import write_files, write_replayed_shop

pytestmark = pytest.mark.slow  # processes: `make test` and CI run them, `make check` does not


def run(*words):
    environment = {"STREAM_BROKERS": "embedded"}
    return CliRunner().invoke(main, ["dashboard", *map(str, words)], env=environment)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_replayed_shop(tmp_path_factory.mktemp("shop"), customers=30, days=300)


@pytest.fixture
def started():
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(dashboard_process(*words))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(started, files, number):
    process, address = started("--profiles", files[0], "--alerts", files[1])

    assert "Loyal customers at risk" in fetched(address)
    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


def test_the_folder_of_a_try_is_a_source(started, files, tmp_path):
    for file in files:
        (tmp_path / file.name).write_bytes(file.read_bytes())

    _, address = started(tmp_path)

    assert f"From {tmp_path / 'profiles.jsonl'} and" in fetched(address)


def test_a_kept_store_survives_a_kill_with_the_same_page(started, files, tmp_path):
    store = tmp_path / "store.db"
    first, address = started("--profiles", files[0], "--alerts", files[1], "--store", store)
    before = fetched(address)
    first.kill()
    first.wait()

    _, address = started("--profiles", files[0], "--alerts", files[1], "--store", store)

    assert fetched(address) == before


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "that broker runs inside its worker; name a real one"),
        (["--events", "{events}", "--profiles", "{profiles}"], "name one source"),
        (["--alerts", "{profiles}"], "--alerts belongs to --profiles"),
        (["{empty}"], "holds no profiles.jsonl: run `stream try` first"),
        (["{empty}", "--profiles", "{profiles}"], "leave --profiles and --alerts out"),
        (["--profiles", "{profiles}", "--port", "65536"], "is not in the range"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(files, tmp_path, words, line):
    (tmp_path / "empty").mkdir()
    named = {"events": files[1], "profiles": files[0], "empty": tmp_path / "empty"}

    answer = run(*(word.format(**named) for word in words))

    assert answer.exit_code == 2
    assert line in answer.output


@pytest.mark.parametrize("problem", ["source", "store"])
def test_what_cannot_be_used_is_one_line_and_exit_code_1(files, tmp_path, problem):
    spoilt = tmp_path / "spoilt.jsonl"
    spoilt.write_text('{"customer":7}\n')
    words = {"source": ["--profiles", spoilt], "store": ["--profiles", files[0], "--store", spoilt]}[problem]

    answer = run(*words)

    assert answer.exit_code == 1
    assert len(answer.output.splitlines()) == 1
    assert "spoilt.jsonl" in answer.output


def test_events_are_replayed_and_served(started, tmp_path):
    events = tmp_path / "shop.jsonl"
    CliRunner().invoke(
        main, ["import", "generated", "--customers", "20", "--days", "200", "--out", str(events)]
    )

    _, address = started("--events", events)

    assert "20 customers are known" in fetched(address) or "Worst first" in fetched(address)


def test_events_are_judged_by_a_model_of_their_own_unless_the_shipped_one_is_asked_for(started, tmp_path):
    events = tmp_path / "shop.jsonl"
    words = ["import", "generated", "--customers", "150", "--days", "400", "--out", str(events)]
    assert CliRunner().invoke(main, words).exit_code == 0

    own, address = started("--events", events)
    shipped, other = started("--events", events, "--model", "shipped")

    assert default_model().version[:16] in fetched(other)
    assert default_model().version[:16] not in fetched(address)
    own.send_signal(signal.SIGTERM)
    shipped.send_signal(signal.SIGTERM)
    assert "Note: judged by a model fitted to these events in" in own.stderr.read()
    assert "fitted to these events" not in shipped.stderr.read()


def test_without_the_extra_one_line_says_what_to_install(files, monkeypatch):
    monkeypatch.setattr("stream.commands.page_sources.find_spec", lambda name: None)

    answer = run("--profiles", files[0])

    assert (answer.exit_code, answer.output) == (
        2,
        "Error: stream dashboard needs the extra `dashboard`: pip install 'customer-stream[dashboard]'\n",
    )


def test_an_empty_shop_is_served(started, tmp_path):
    profiles, alerts = write_files(tmp_path, [], [])

    _, address = started("--profiles", profiles, "--alerts", alerts)

    assert "No customer is known yet" in fetched(address)
