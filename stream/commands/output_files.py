"""The files that a command writes: none may be an input of the command, or another of its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from stream.recording.output_file import file_identity

NamedFile = tuple[str, Path]
"""(option or argument, file)."""


class SameFileError(click.ClickException):
    """An output is a file that the command also reads, or writes a second time."""

    exit_code = 2


class OutputFile(click.Path):
    """The type of a parameter that names a file to write; `-` is standard output."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, readable=False, writable=True, allow_dash=True, path_type=Path)


class OutputFolder(click.Path):
    """The type of a parameter that names a folder, which is made, for one file to write of a known name."""

    def __init__(self, file_name: str) -> None:
        super().__init__(file_okay=False, path_type=Path)
        self.file_name = file_name


class FileCommand(click.Command):
    """A command with output files: compares them with its other files before it does anything."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, or refuse it with one line."""
        inputs: list[NamedFile] = []
        outputs: list[NamedFile] = []
        for param in self.params:
            is_output = isinstance(param.type, OutputFile | OutputFolder)
            (outputs if is_output else inputs).extend(_named_files(param, ctx))
        refuse_same_files(inputs, outputs)
        return super().invoke(ctx)


def refuse_same_files(inputs: Iterable[NamedFile], outputs: Iterable[NamedFile]) -> None:
    """SameFileError where an output is an input, or an output before it; links are seen through."""
    taken = [(file_identity(path), option, path) for option, path in inputs]
    for option, path in outputs:
        identity = file_identity(path)
        for other, other_option, other_path in taken:
            if identity is not None and identity == other:
                raise SameFileError(
                    f"{option} {path} and {other_option} {other_path} are the same file; nothing was written"
                )
        taken.append((identity, option, path))


def _named_files(param: click.Parameter, ctx: click.Context) -> Iterator[NamedFile]:
    """The files that the command line gives for a parameter, each with the parameter's name."""
    if isinstance(param.type, click.Path):
        given = ctx.params.get(param.name or "")
        name = param.opts[-1] if isinstance(param, click.Option) else param.human_readable_name.upper()
        for path in given if isinstance(given, tuple) else [given]:
            if isinstance(path, Path):
                yield name, path / param.type.file_name if isinstance(param.type, OutputFolder) else path
