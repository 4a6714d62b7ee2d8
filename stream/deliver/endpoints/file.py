"""One TOML file to its endpoints, or to all faults of the file with their lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import inspect

from stream.deliver.endpoints.build import Builder
from stream.deliver.endpoints.endpoint import Endpoints
from stream.deliver.endpoints.entry import EndpointsEntry
from stream.policy_file.check import checked
from stream.policy_file.load import PolicyFault, fault_lines, located
from stream.toml_text import TomlTextError, parsed_toml

ENTRIES = inspect.type_info(EndpointsEntry)


class EndpointsFileError(ValueError):
    """An endpoints file that cannot be used; its message has one line per fault."""

    def __init__(self, name: str, faults: list[PolicyFault]) -> None:
        self.faults = faults
        super().__init__("\n".join(fault_lines(name, faults)))


def load_endpoints(path: Path, environ: Mapping[str, str], now_ms: int) -> Endpoints:
    """The endpoints of a file; EndpointsFileError or OSError when it cannot be used.

    `environ` holds the secrets that the file names by variable. Relative paths are of the file's folder.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise EndpointsFileError(str(path), [PolicyFault(line, "", "not UTF-8 text")]) from None
    return parse_endpoints(text, str(path), path.parent, environ, now_ms)


def parse_endpoints(text: str, name: str, folder: Path, environ: Mapping[str, str], now_ms: int) -> Endpoints:
    """The endpoints of a TOML text; EndpointsFileError has every fault with its line, `name` as the file."""
    try:
        written = parsed_toml(text)
    except TomlTextError as fault:
        raise EndpointsFileError(name, [PolicyFault(fault.line, "", fault.problem)]) from None
    content, faults = checked(written, {}, ENTRIES)
    if not faults:
        builder = Builder(folder, environ, now_ms)
        endpoints = builder.endpoints(msgspec.convert(content, EndpointsEntry))
        if not builder.faults:
            return endpoints
        faults = builder.faults
    raise EndpointsFileError(name, located(text, faults))
