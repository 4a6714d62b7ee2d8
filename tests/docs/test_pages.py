"""The pages claim only what is there: links, commands with their options, make targets, paths."""

import re
from itertools import chain

import click
import pytest

from stream.commands.main import main
from tests.support.pages import PAGES, ROOT, anchors, blocks, commands, inline, linked, links, text_of

DEFAULTS = {"import": "files", "fit": "history", "uplift": "readout"}
"""Groups that take a file as their first word: the command that then runs."""
TOPS = ("stream", "tests", "docs", "bench", "deploy", "schemas", ".ci", ".github")
PATH = re.compile(rf"(?:{'|'.join(map(re.escape, TOPS))})/[\w./-]*")
MODULE = re.compile(r"[\w/]+\.py")


def command_for(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that these words name, and the words after its name."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group):
        context = click.Context(command)
        if not rest or rest[0] in ("-h", "--help", "--version"):
            break
        found = command.get_command(context, rest[0])
        if found is not None:
            rest.pop(0)
        elif command.name in DEFAULTS:
            found = command.get_command(context, DEFAULTS[command.name])
        assert found is not None, f"`stream {' '.join(words)}`: no command {rest[0]!r}"
        command = found
    return command, rest


def check_call(words: list[str]) -> None:
    """Fail unless the command exists and takes these options."""
    command, rest = command_for(words)
    try:
        command.make_parser(click.Context(command)).parse_args(rest)
    except click.UsageError as error:
        pytest.fail(f"`stream {' '.join(words)}`: {error.format_message()}")


def is_named(words: list[str]) -> bool:
    """False where the command itself is a placeholder, as in `stream COMMAND --help`."""
    return bool(words) and not words[0].isupper() and words[0] != "..."


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_exists_and_takes_the_options_shown(page):
    for words in chain.from_iterable(map(commands, [*blocks(page), *inline(page)])):
        if is_named(words):
            check_call(words)


def test_a_wrong_command_or_option_would_be_found():
    for wrong in ("stream wroker", "stream replay --alrts x", "stream dlq shw 1"):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            check_call(commands(wrong)[0])


def test_commands_are_read_as_a_shell_would():
    line = "A=1 stream fit e.jsonl --out m.json && stream replay e.jsonl > out.txt  # and so on"

    assert commands(line) == [["fit", "e.jsonl", "--out", "m.json"], ["replay", "e.jsonl"]]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_there(page):
    assert [link for link in links(page) if not linked(page, link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_heading_finds_it(page):
    with_anchor = [link for link in links(page) if "#" in link and linked(page, link).suffix == ".md"]

    assert [link for link in with_anchor if link.partition("#")[2] not in anchors(linked(page, link))] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_shown_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    typed = r"(?:^|`)(?:[A-Z_]+=\S+ )?make ([a-z-]+)"
    shown = set(re.findall(typed, text_of(page), flags=re.MULTILINE))

    assert shown - targets == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_the_repository_that_is_shown_exists(page):
    shown = {code.partition(":")[0] for code in inline(page)}
    paths = {code for code in shown if PATH.fullmatch(code)}
    modules = {code for code in shown - paths if MODULE.fullmatch(code)}
    named = {
        str(path.relative_to(ROOT))
        for top in ("stream", "tests", "bench")
        for path in (ROOT / top).rglob("*.py")
    }
    lost = {path for path in paths if not (ROOT / path).exists()}
    lost |= {module for module in modules if not any(f"/{name}".endswith(f"/{module}") for name in named)}

    assert lost == set()


def test_every_page_of_docs_is_reached_from_its_index():
    reached, to_visit = set(), ["docs/README.md"]
    while to_visit:
        page = to_visit.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = (linked(page, link).resolve() for link in links(page))
        to_visit += [
            str(path.relative_to(ROOT)) for path in targets if path.suffix == ".md" and path.exists()
        ]

    assert {page for page in PAGES if page.startswith("docs/")} - reached == set()


def test_decisions_are_listed_in_the_order_of_their_numbers():
    listed = re.findall(r"^\| \[(\d{4})\]", (ROOT / "docs/decisions/README.md").read_text(), re.MULTILINE)
    pages = sorted(page.name[:4] for page in (ROOT / "docs/decisions").glob("0*.md"))

    assert listed == pages[1:], "the first is the template"
