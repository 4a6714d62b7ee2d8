"""Names of the files of one import that differ from each other: orders without a number are named by them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The name of each file; of files of one name with as many folders before it as tell them apart.

    Two paths of one file have one name. A file keeps its name whatever other names are in the import.
    """
    whole = [path.resolve() for path in paths]
    return [_name(path, set(whole) - {path}) for path in whole]


def _name(path: Path, others: set[Path]) -> str:
    for count in range(1, len(path.parts)):
        ending = path.parts[-count:]
        if all(other.parts[-count:] != ending for other in others):
            return "/".join(ending)
    return str(path)
