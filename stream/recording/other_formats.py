"""Files that are certainly no JSON lines: tables, workbooks, archives, JSON over many lines.

Read line by line, each would be thousands of lines with a broken JSON; named once, there is a remedy.
"""

from __future__ import annotations

import re
from pathlib import Path

LINES_LOOKED_AT = 20
SEPARATOR = rb"[,;\t|]"
"""Between the cells of a table."""
MAGIC = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a workbook (XLSX) or another zip archive",
    b"\xd0\xcf\x11\xe0": "a workbook (XLS)",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
"""First bytes -> what the file is."""
REMEDIES = {
    "a workbook (XLSX) or another zip archive": "save the sheet as CSV (UTF-8), then: {suggest}",
    "a workbook (XLS)": "save the sheet as CSV (UTF-8), then: {suggest}",
    "compressed by bzip2": "unpack it; gzip and Zstandard are read as they are",
    "compressed by xz": "unpack it; gzip and Zstandard are read as they are",
    "text in UTF-16": "events are JSON lines in UTF-8; a table is imported: {suggest}",
    "JSON over several lines": "put each object on one line: jq -c . {name}; orders are imported: {suggest}",
    "a JSON array": "events stand one on a line: jq -c '.[]' {name}; orders are imported: {suggest}",
}
IMPORT = "import it first: {suggest}, then stream import {name} --mapping mapping.toml --out events.jsonl.gz"
SUGGEST = "stream import --suggest {name} > mapping.toml"


def refusal(path: Path, begin: bytes) -> str | None:
    """One line that says what a file is instead of JSON lines, and what to do; None where it may be events.

    `begin` is the first some thousand bytes, unpacked.
    """
    kind = _kind(begin)
    if kind is None:
        return None
    suggest = SUGGEST.format(name=path)
    remedy = REMEDIES.get(kind, IMPORT).format(suggest=suggest, name=path)
    return f"{path} is {kind}, not events (JSON lines): {remedy}"


def _kind(begin: bytes) -> str | None:
    for magic, kind in MAGIC.items():
        if begin.startswith(magic):
            return kind
    stripped = (line.strip() for line in begin.removeprefix(b"\xef\xbb\xbf").splitlines())
    first, *others = [line for line in stripped if line][:LINES_LOOKED_AT] or [b"{}"]
    if first.startswith(b"["):
        return "a JSON array"
    if first == b"{":
        return "JSON over several lines" if others and not others[0].startswith(b"{") else None
    if any(line.startswith(b"{") for line in (first, *others)):
        return None
    return "a table (CSV)" if re.search(SEPARATOR, first) else None
