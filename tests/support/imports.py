"""The imports of modules, read from their source text; which of them break a floor or form a circle."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

FILES_MAX = 14

Sources = Mapping[str, str]  # path from the root -> its text


def imported(source: str) -> set[str]:
    """The full dotted name of everything a module imports, at any depth; relative ones keep their dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def imports_of_tests(source: str) -> list[str]:
    """The test modules (`test_*`, conftest) that this module imports; helpers belong in tests/support."""
    parts = {name: name.split(".") for name in imported(source) if name.split(".")[0] in ("tests", "")}
    return sorted(
        name
        for name, words in parts.items()
        if any(word == "conftest" or word.startswith("test_") for word in words[1:3])
    )


def package_of(path: str) -> str:
    """stream/core/step.py -> core; stream/progress.py -> progress."""
    return Path(path).parts[1].removesuffix(".py")


def floor_breaches(package: str, floors: list[set[str]], path: str, source: str) -> list[str]:
    """The rooms of one package that this module imports although they are not below its own.

    A package with rooms inside a room is given by its path: `importing/files`.
    """
    height = {room: number for number, floor in enumerate(floors) for room in floor}
    room = room_of(package, path)
    if room == "__init__":  # what the package offers to others
        return []
    prefix = f"stream.{package.replace('/', '.')}."
    found = {n.removeprefix(prefix).split(".")[0] for n in imported(source) if n.startswith(prefix)}
    return sorted(other for other in found - {room} if height.get(other, -1) <= height[room])


def room_of(package: str, path: str) -> str:
    """core, stream/core/facts/fold.py -> facts; core, stream/core/step.py -> step."""
    return Path(path).relative_to(f"stream/{package}").parts[0].removesuffix(".py")


def modules(sources: Sources) -> dict[str, str]:
    """Dotted name -> text; a package goes by its own name."""
    return {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): text
        for path, text in sources.items()
    }


def circles(sources: Sources) -> list[list[str]]:
    """The groups of modules that import each other, directly or by a detour."""
    named = modules(sources)
    graph = {
        name: {n if n in named else n.rpartition(".")[0] for n in imported(text)} & named.keys()
        for name, text in named.items()
    }
    reached = {name: reachable(graph, name) for name in graph}
    loops = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph}
    return sorted(sorted(loop) for loop in loops if loop)


def reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    to_see = list(graph[start])
    while to_see:
        name = to_see.pop()
        if name not in found:
            found.add(name)
            to_see += graph[name]
    return found


def crowded(paths: Iterable[str]) -> dict[str, int]:
    """Folders with more Python files than one can take in at a glance."""
    files = Counter(str(Path(path).parent) for path in paths if Path(path).name != "__init__.py")
    return {folder: n for folder, n in files.items() if n > FILES_MAX and folder != "stream/commands"}
