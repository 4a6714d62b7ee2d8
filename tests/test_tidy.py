"""The style that a machine can check: size, names, docstrings, places of modules, no trace of one machine."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FUNCTION_LINES_MAX = 40
MODULE_LINES_MAX = 300
CHANGELOG_LINES_MAX = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef

MACHINE_PATHS = ["/" + name + "/" for name in ("work", "root", "farm")] + [".." + "/shared"]
REGISTRY_HOSTS = ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "crates" + ".io", "maven" + ".org"]
"""Written in pieces, so that this file does not find itself."""

BANNED_NAMES = {"utils", "helpers", "common", "manager", "handle", "process"}
"""Names of modules and functions that say nothing."""


def modules(*tops: str) -> dict[str, ast.Module]:
    """Every module that is not empty, by its path from the root."""
    paths = sorted(path for top in tops for path in (ROOT / top).rglob("*.py"))
    return {str(p.relative_to(ROOT)): ast.parse(p.read_text()) for p in paths if p.read_text().strip()}


STREAM = modules("stream")
PACKAGE = STREAM | modules("bench")
EVERYTHING = PACKAGE | modules("tests")


def functions(sources: dict[str, ast.Module]) -> Iterator[tuple[str, Function]]:
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{path}:{node.lineno} {node.name}", node


def lines_of_code(function: Function) -> int:
    """Lines from `def` to the end, the docstring not counted."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_modules_are_short():
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in EVERYTHING}

    assert {path: length for path, length in lengths.items() if length > MODULE_LINES_MAX} == {}


def test_functions_are_short():
    lengths = {where: lines_of_code(function) for where, function in functions(EVERYTHING)}

    assert {where: length for where, length in lengths.items() if length > FUNCTION_LINES_MAX} == {}


def test_every_module_has_a_docstring():
    assert [path for path, tree in PACKAGE.items() if ast.get_docstring(tree) is None] == []


def test_every_function_says_what_it_returns():
    assert [where for where, function in functions(PACKAGE) if function.returns is None] == []


def is_trivial(function: Function) -> bool:
    """One statement: the name and the types of such a function say what a docstring could."""
    return len(function.body) == 1


def public_functions(node: ast.AST, path: str) -> Iterator[tuple[str, Function]]:
    """Functions and methods that others may call; those inside functions and private classes are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | Function) and child.name.startswith("_"):
            continue
        if isinstance(child, Function):
            yield f"{path}:{child.lineno} {child.name}", child
        else:
            yield from public_functions(child, path)


def without_docstring(sources: dict[str, ast.Module]) -> list[str]:
    return [
        where
        for path, tree in sources.items()
        for where, function in public_functions(tree, path)
        if ast.get_docstring(function) is None and not is_trivial(function)
    ]


def test_every_public_function_has_a_docstring():
    assert without_docstring(STREAM) == []


def test_the_rule_of_docstrings_finds_a_breach():
    method = "class A:\n def f(self):\n  x = 1\n  return x"
    function = "def f():\n x = 1\n return x"
    trivial = "def f():\n return 1\nclass _B:\n def f(self):\n  x = 1\n  return x"
    sources = {"a.py": ast.parse(method), "b.py": ast.parse(function), "c.py": ast.parse(trivial)}

    assert without_docstring(sources) == ["a.py:2 f", "b.py:1 f"]


SAYS_NOTHING = {"told", "said"}
"""A report, a statement, an error? The name must say which."""


def given_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Names that a module gives to functions, classes, arguments, variables and attributes, by line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def names_that_say_nothing(sources: dict[str, ast.Module]) -> list[str]:
    return [
        f"{path}:{line} {name}"
        for path, tree in sources.items()
        for line, name in given_names(tree)
        if SAYS_NOTHING & set(name.lower().split("_")) and not name.startswith("test_")
    ]


def test_no_name_is_told_or_said():
    assert names_that_say_nothing(EVERYTHING) == []


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "def f(what_is_said): ...",
        "class Told: ...",
        "for _, told in x: ...",
        "self._told = 1",
        "def said(): ...",
    ],
)
def test_the_rule_of_names_finds_a_breach(source):
    assert names_that_say_nothing({"a.py": ast.parse(source)})


def test_helpers_of_tests_are_in_support_and_faults():
    helpers = [
        path
        for path in EVERYTHING
        if path.startswith("tests/") and not Path(path).name.startswith(("test_", "conftest", "__init__"))
    ]

    assert {Path(path).parts[1] for path in helpers} == {"support", "faults"}


def test_names_say_something():
    named = {path: Path(path).stem for path in PACKAGE}
    named |= {where: function.name.strip("_") for where, function in functions(PACKAGE)}

    assert {where: name for where, name in named.items() if name in BANNED_NAMES} == {}


TWICE: dict[str, str] = {
    "Action": "the payload of action.taken and a part of the alert: both names are in released schemas",
    "Identity": "the payload of customer.identified and a section of the profile: as above",
}
"""Class names that stand in two modules, each with the reason; five at most."""
TWICE_MAX = 5


def classes_in_two_modules(sources: dict[str, ast.Module]) -> dict[str, list[str]]:
    """Name -> the modules that define it. One name has one meaning inside the package."""
    found: dict[str, set[str]] = {}
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name.strip("_"), set()).add(path)
    return {name: sorted(paths) for name, paths in sorted(found.items()) if len(paths) > 1}


def test_a_class_name_has_one_meaning():
    assert set(classes_in_two_modules(STREAM)) == set(TWICE)
    assert len(TWICE) <= TWICE_MAX


def test_the_rule_of_class_names_finds_a_breach():
    sources = {"stream/a.py": ast.parse("class A: ..."), "stream/b.py": ast.parse("def f():\n class _A: ...")}

    assert classes_in_two_modules(sources) == {"A": ["stream/a.py", "stream/b.py"]}


def committed_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git work tree: what is committed is not known")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_path_of_one_machine_and_no_registry_is_committed():
    traces = {
        str(path.relative_to(ROOT)): word
        for path in committed_files()
        for word in MACHINE_PATHS + REGISTRY_HOSTS
        if word.encode() in path.read_bytes()
    }

    assert traces == {}


def test_the_changelog_of_a_first_version_has_no_history_of_repairs():
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()

    assert sum(line.startswith("## [") for line in lines) == 1, "after 0.1.0: give each version its own bound"
    assert len(lines) <= CHANGELOG_LINES_MAX
