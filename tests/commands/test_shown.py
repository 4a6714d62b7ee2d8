"""No text of a customer, a file or a broker moves the cursor, hides a part of a line or becomes code."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import Event
from stream.look.html import html_text
from stream.wire import encode_event
from tests.support.builders import bought, complained, identified, reviewed, viewed

ROOT = Path(__file__).parents[2]
COMMANDS = ROOT / "stream" / "commands"
EVIL = "a\x1b]0;owned\x07b\x9b2Jc\u202ed<script>alert(1)</script>[red]e\r\nForged: line"
UNSAFE = {"\x1b", "\x07", "\x9b", "\u202e", "\r"}
"""What no output may hold."""


def history(customer: str) -> list[Event]:
    """Everything of a customer that may hold a text, with evil ones."""
    orders = [bought(day, category=EVIL, customer=customer) for day in range(0, 400, 40)]
    return [
        identified(0, EVIL),
        viewed(1, EVIL),
        *orders,
        reviewed(401, 1, EVIL),
        complained(402, EVIL, EVIL),
    ]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in history("c")))
    return path


def run(*words: object) -> str:
    """Output and errors of a command that found its customer or its faults."""
    shown = CliRunner().invoke(main, [str(word) for word in words])
    assert shown.exit_code in {0, 1, 2}, shown.output
    return shown.output


def assert_safe(output: str) -> None:
    assert output
    assert not UNSAFE.intersection(output)
    assert not [line for line in output.splitlines() if line.startswith("Forged")]


def test_explain_shows_the_texts_of_a_customer_as_codes(events):
    shown = run("explain", "c", "--events", events)

    assert_safe(shown)
    assert "\\u001b" in shown


def test_explain_as_json_holds_the_texts_as_they_are(events):
    shown = run("explain", "c", "--events", events, "--json")

    assert_safe(shown)
    assert EVIL in list(_texts(json.loads(shown)["profile"]))


def test_a_report_is_a_page_without_foreign_code(events, tmp_path):
    page = tmp_path / "report.html"

    assert_safe(run("report", events, "--out", page))

    assert "<script>alert" not in page.read_text()
    assert not UNSAFE.intersection(page.read_text())


def test_pages_escape_by_the_same_function():
    modules = (ROOT / "stream").rglob("*.py")
    escaping = [path.name for path in modules if "from html import" in path.read_text()]
    assert escaping == ["html.py"]


def test_bad_lines_of_files_are_quoted_as_codes(tmp_path):
    path = tmp_path / "bad.jsonl"
    bad = {"specversion": "1.0", "id": EVIL, "source": "/s", "type": EVIL, "subject": EVIL, "time": EVIL}
    path.write_text(json.dumps(bad, ensure_ascii=False) + "\n" + EVIL + "\n")

    for words in (("replay", path), ("send", path), ("explain", EVIL, "--events", path)):
        assert_safe(run(*words))


def test_an_import_quotes_headers_and_cells_as_codes(tmp_path):
    path = tmp_path / "orders.csv"
    header = EVIL.replace("\r\n", " ").replace(",", "")
    path.write_text(f"{header},time,amount\n{header},{header},{header}\n")

    assert_safe(run("import", "--suggest", path))
    assert_safe(run("import", path, "--mapping", "shopify-orders", "--out", tmp_path / "out.jsonl"))


def test_html_holds_no_code_and_no_controls():
    assert not UNSAFE.intersection(html_text(EVIL))
    assert "<" not in html_text(EVIL)


def test_every_command_prints_by_the_same_function():
    """`click.echo` of a page that is generated, and has no text from outside, is allowed with nl=False."""
    for path in sorted(COMMANDS.glob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        raw = [call for call in calls if ast.unparse(call.func) in {"click.echo", "print", "click.secho"}]
        left = [ast.unparse(call) for call in raw if "nl=False" not in ast.unparse(call)]
        assert left == [] or path.name == "shown.py", f"{path.name}: {left}"


def _texts(found: object):
    if isinstance(found, dict):
        for name, value in found.items():
            yield name
            yield from _texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from _texts(value)
    elif isinstance(found, str):
        yield found


def test_a_refusal_is_broken_between_words_on_a_terminal(tmp_path, monkeypatch):
    path = tmp_path / "export.csv"
    names = [f"column_{number}" for number in range(40)]
    path.write_text(",".join(names) + "\n" + ",".join("x" for _ in names) + "\n")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("stream.wording.wrap.is_terminal", lambda *, err: True)

    answer = CliRunner().invoke(main, ["import", "--suggest", str(path)])
    lines = answer.stderr.splitlines()

    assert answer.exit_code == 2
    assert lines[0].startswith("Error: ")
    assert len(lines) > 5
    assert max(len(line) for line in lines if "/" not in line) <= 80
    assert [word.strip(",;") for word in " ".join(lines).split() if word.startswith("column_")] == names


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_letters_that_a_terminal_does_not_have_are_shown_as_their_codes(tmp_path, encoding):
    (tmp_path / "o.csv").write_text("order,customer,date,total,日本é\n1,c,2025-01-01,10.00,x\n", "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "stream", "import", "--suggest", "o.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    name = "日本é" if encoding == "utf-8" else "\\u65e5\\u672cé"
    assert f"# Not used: {name}." in done.stdout.decode(encoding)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_command_whose_streams_are_closed_does_its_work(tmp_path, events, closed):
    words = f"explain c --events {events} --now 2025-12-01"

    done = subprocess.run(
        f"{sys.executable} -m stream {words} {closed}",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert "fault" not in done.stderr
    assert ("Buying" in done.stdout) is (">&-" not in closed.split())
