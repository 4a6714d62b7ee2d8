"""Files that commands write: never over an input or each other, only over plain files; opened first."""

import os
import stat
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from stream.commands.main import main

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

EVENT = (
    b'{"specversion":"1.0","id":"p-1","source":"/shop","type":"purchase.completed","subject":"c-1",'
    b'"time":"2026-01-02T00:00:00Z","data":{"order_id":"o-1","total_minor":100,"currency":"EUR","products":[]}}\n'
)
MAPPING = """[columns]
order = "order"
customer = "customer"
time = "time"
product = "product"
unit_price = "price"
[constants]
currency = "EUR"
"""
LINES = "order,customer,time,product,price\n1,c-1,2026-01-02,tea,1.00\n"
FULL = "/dev/full"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A folder with events, a mapping and a file to import; the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.jsonl").write_bytes(EVENT)
    (tmp_path / "policy.toml").write_text(CliRunner().invoke(main, ["policy", "default"]).output)
    (tmp_path / "mine.toml").write_text(MAPPING)
    (tmp_path / "lines.csv").write_text(LINES)
    data = tmp_path / "cdnow"
    data.mkdir()
    (data / "CDNOW_master.txt").write_text(" 00001  19970101  1  11.77\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


IMPORT = ("import", "lines.csv", "--mapping", "mine.toml")
BACKTEST = ("backtest", "events.jsonl", "--split", "2026-01-02", "--horizon", "8w")
OVERWRITING: dict[str, list[tuple[str, ...]]] = {
    "lines.csv": [
        (*IMPORT, "--out", "lines.csv"),
        (*IMPORT, "--out", "e.jsonl", "--rejects", "lines.csv"),
        (*IMPORT, "--to-kafka", "--journal", "lines.csv"),
    ],
    "mine.toml": [(*IMPORT, "--out", "mine.toml")],
    "events.jsonl": [
        ("replay", "events.jsonl", "--profiles", "events.jsonl"),
        ("replay", "events.jsonl", "--alerts", "events.jsonl"),
        ("replay", "events.jsonl", "--rejects", "events.jsonl"),
        ("fit", "events.jsonl", "--out", "events.jsonl"),
        (*BACKTEST, "--report", "events.jsonl"),
        ("report", "events.jsonl", "--out", "events.jsonl"),
    ],
    "policy.toml": [
        ("replay", "events.jsonl", "--policy", "policy.toml", "--alerts", "policy.toml"),
        ("fit", "events.jsonl", "--policy", "policy.toml", "--out", "policy.toml"),
        (*BACKTEST, "--policy", "policy.toml", "--report", "policy.toml"),
        ("report", "events.jsonl", "--policy", "policy.toml", "--out", "policy.toml"),
    ],
    "cdnow/CDNOW_master.txt": [("import", "cdnow", "--path", "cdnow", "--out", "cdnow/CDNOW_master.txt")],
}
DISGUISES = ["same", "dotted", "symlink", "hard link"]


def disguised(shop, name, disguise):
    """Another name of the same file."""
    if disguise == "same":
        return name
    if disguise == "dotted":
        return str(shop / "." / "cdnow" / ".." / name)
    other = shop / "other"
    if disguise == "symlink":
        other.symlink_to(shop / name)
    else:
        other.hardlink_to(shop / name)
    return "other"


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize(
    ("name", "arguments"), [(name, arguments) for name, each in OVERWRITING.items() for arguments in each]
)
def test_an_input_is_never_overwritten(shop, name, arguments, disguise):
    before = (shop / name).read_bytes()
    other = disguised(shop, name, disguise)

    done = run(*arguments[:-1], other)

    assert done.exit_code == 2, done.output
    assert len(done.output.splitlines()[-1:]) == 1
    assert arguments[-2] in done.output.splitlines()[-1]
    assert "same file" in done.output
    assert (shop / name).read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        (*IMPORT, "--out", "new.jsonl", "--rejects", "new.jsonl"),
        (*IMPORT, "--out", "new.rejects.jsonl"),
        (*IMPORT, "--to-kafka", "--rejects", "new.jsonl", "--journal", "new.jsonl"),
        (*IMPORT, "--out", "-", "--rejects", "-"),
        ("import", "generated", "--customers", "2", "--out", "new.jsonl", "--truth", "new.jsonl"),
        ("import", "generated", "--customers", "2", "--out", "new.jsonl", "--truth", "link"),
        ("replay", "events.jsonl", "--profiles", "new.jsonl", "--alerts", "./new.jsonl"),
        ("replay", "events.jsonl", "--alerts", "new.jsonl", "--rejects", "link"),
        ("replay", "events.jsonl", "--profiles", "-", "--alerts", "/dev/stdout"),
    ],
)
def test_two_outputs_are_never_one_file(shop, arguments):
    (shop / "link").symlink_to("new.jsonl")

    done = run(*arguments)

    assert done.exit_code == 2, done.output
    assert "same file" in done.output.splitlines()[-1]
    assert not (shop / "new.jsonl").exists()


def test_the_rejects_of_an_import_are_imported_again_under_another_name(shop):
    (shop / "events.rejects.jsonl").write_bytes(b"{}\n")

    done = run("import", "events.rejects.jsonl", "--mapping", "mine.toml", "--out", "events.jsonl")

    assert done.exit_code == 2
    assert "--rejects" in done.output
    assert (shop / "events.rejects.jsonl").read_bytes() == b"{}\n"


WRITING = [
    (*IMPORT, "--out"),
    (*IMPORT, "--out", "e.jsonl", "--rejects"),
    ("import", "generated", "--customers", "2", "--days", "30", "--out"),
    ("import", "generated", "--customers", "2", "--days", "30", "--out", "e.jsonl", "--truth"),
    ("import", "cdnow", "--path", "cdnow", "--out"),
    ("replay", "events.jsonl", "--profiles"),
    ("replay", "events.jsonl", "--alerts"),
    ("replay", "events.jsonl", "--rejects"),
    ("fit", "e.jsonl", "--out"),
    ("backtest", "e.jsonl", "--split", "2024-09-01", "--horizon", "8w", "--report"),
    ("report", "e.jsonl", "--out"),
]


def enough_events(shop):
    run("import", "generated", "--customers", "60", "--days", "365", "--out", "e.jsonl")


@pytest.mark.parametrize("arguments", WRITING)
@pytest.mark.parametrize("where", ["missing/new", "cdnow", "lines.csv/new", "loop", "n" * 300])
def test_an_output_that_cannot_be_written_is_found_before_the_work(shop, arguments, where):
    (shop / "loop").symlink_to("loop")
    (shop / "e.jsonl").write_bytes(b"no event, and nobody came to see it\n")

    done = run(*arguments, where)

    assert done.exit_code == 2, done.output
    assert where in done.output.splitlines()[-1]
    assert not isinstance(done.exception, OSError)
    assert "no event" not in done.output
    assert (shop / "e.jsonl").read_bytes() == b"no event, and nobody came to see it\n"
    assert [each.name for each in shop.iterdir() if each.name.startswith(".")] == []


@pytest.mark.skipif(not os.path.exists(FULL), reason="there is no device /dev/full")
@pytest.mark.parametrize("arguments", [each for each in WRITING if "--rejects" not in each])
def test_a_full_disk_is_one_line(shop, arguments):
    enough_events(shop)
    if arguments[:2] == ("replay", "events.jsonl"):
        arguments = ("replay", "e.jsonl", *arguments[2:])
    done = run(*arguments, FULL)

    if "--alerts" in arguments and done.exit_code == 0:
        return  # no alert: nothing was written
    assert done.exit_code == 1, done.output
    assert done.output.splitlines()[-1] == f"Error: cannot write {FULL}: No space left on device"
    assert stat.S_ISCHR(os.stat(FULL).st_mode)


@pytest.mark.skipif(not os.path.exists(FULL), reason="there is no device /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [("policy", "default"), ("settings", "--markdown"), ("policy", "--help"), ("--help",), ("--version",)],
)
def test_a_full_standard_output_is_one_line(arguments):
    with open(FULL, "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stream", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Error: No space left on device"]


@pytest.mark.parametrize("arguments", [(*IMPORT, "--out"), ("replay", "events.jsonl", "--profiles")])
def test_a_symlink_stays_one_and_its_target_is_written(shop, arguments):
    (shop / "target").write_text("old")
    (shop / "target").chmod(0o640)
    (shop / "link").symlink_to("target")

    done = run(*arguments, "link")

    assert done.exit_code == 0, done.output
    assert (shop / "link").is_symlink()
    assert (shop / "target").read_text().startswith("{")
    assert stat.S_IMODE((shop / "target").stat().st_mode) == 0o640


@pytest.mark.parametrize("arguments", [(*IMPORT, "--out"), ("replay", "events.jsonl", "--profiles")])
def test_a_named_pipe_is_written_to_and_stays_one(shop, arguments):
    pipe, got = shop / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()

    done = run(*arguments, "pipe")
    reader.join(20)

    assert done.exit_code == 0, done.output
    assert got[0].startswith(b"{")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("arguments", [(*IMPORT, "--out"), ("replay", "events.jsonl", "--profiles")])
@pytest.mark.parametrize("is_file", [False, True])
def test_standard_output_holds_the_records_and_nothing_else(shop, name, arguments, is_file):
    with (shop / "got").open("wb") as got:
        done = subprocess.run(
            [sys.executable, "-m", "stream", *arguments, name],
            stdout=got if is_file else subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    written = (shop / "got").read_bytes() if is_file else done.stdout
    assert written.startswith(b"{")
    assert written.count(b"\n") == 1
    assert b"1" in done.stderr, "the summary"


def test_an_input_on_standard_input_is_not_overwritten_either(shop):
    with (shop / "events.jsonl").open("rb") as events:
        done = subprocess.run(
            [sys.executable, "-m", "stream", "replay", "/dev/stdin", "--alerts", "events.jsonl"],
            stdin=events,
            capture_output=True,
            check=False,
        )

    assert done.returncode == 2
    assert (shop / "events.jsonl").read_bytes() == EVENT


def test_a_file_that_is_no_journal_is_not_replaced_by_one(shop, monkeypatch):
    monkeypatch.setenv("STREAM_BROKERS", "127.0.0.1:9")
    (shop / "diary.txt").write_text("dear diary")

    done = run(*IMPORT, "--to-kafka", "--journal", "diary.txt")

    assert done.exit_code == 2
    assert "diary.txt" in done.output.splitlines()[-1]
    assert (shop / "diary.txt").read_text() == "dear diary"


def test_schemas_that_cannot_be_written_are_one_line(shop):
    done = run("schemas", "export", "--dir", "lines.csv/schemas")

    assert done.exit_code == 2
    assert "lines.csv" in done.output.splitlines()[-1]
