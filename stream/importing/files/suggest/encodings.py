"""In which encoding a text file was written: UTF-8 proves itself, any other one is a guess and told as one.

The bytes of the cells that are not ASCII are judged by charset-normalizer (Ahmed Tahri), which weighs how
coherent a text is in each language. It does not tell the two Windows encodings of Europe apart; letters do.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from stream.importing.files.reading.delimited import file_encoding
from stream.printable import printable
from stream.recording.event_file import open_unpacked

SAMPLE_BYTES = 1 << 20
"""Bytes by which the encoding is guessed."""
JUDGED_BYTES = 1 << 15
"""Bytes of cells that are not ASCII by which it is guessed: enough for a language to show."""
WESTERN, CENTRAL = "cp1252", "cp1250"
ASIAN = ("cp932", "euc_jp", "gb18030", "big5", "cp949")
CANDIDATES = (WESTERN, CENTRAL, *ASIAN, "cp1251", "cp1254", "cp1253")
"""Windows encodings and those of East Asia, in which spreadsheets and shop systems still write."""
OTHERS = ("cp932", "gb18030", "cp1251", "cp1254", CENTRAL, "mac_roman", "cp850")
"""In which a cell is shown beside a European guess."""
SIGN = "[¹²³¼½¾¿¡£¥¤¶·¸±¯¨¬¦ªº»«\ufffd]"
FOREIGN = re.compile(f"(?![¿¡ºª«»]){SIGN}[^\\W\\d_]|[^\\W\\d_]{SIGN}")
"""What letters of Polish or Czech words are in Windows-1252: signs within words."""
FOREIGN_MIN = 0.2
"""Share of the cells with such signs from which on they are letters."""
OWN_SHARE_MIN = 0.3
"""Share of bytes that are not ASCII in cells of a script of its own: in `Müller` it is one of six."""
NUL_SHARE = 0.3
"""Share of NUL bytes at odd or even places from which on a file without a mark is UTF-16."""
CELL = re.compile(rb"[^,;\t\r\n\"|]*[\x80-\xff][^,;\t\r\n\"|]*")
EXAMPLE_MAX = 30


def guessed_encoding(path: Path) -> str:
    """That of the byte order mark, else UTF-8 where the first bytes are valid, else the likeliest one."""
    marked = file_encoding(path, "utf-8")
    with open_unpacked(path) as file:
        head = file.read(SAMPLE_BYTES)
    if marked != "utf-16" and (wide := _wide(head)):
        return wide
    try:
        codecs.getincrementaldecoder(marked)().decode(head)
    except UnicodeDecodeError:
        return _likeliest(head)
    return marked


def encoding_doubt(path: Path, encoding: str) -> str:
    """How a cell reads in the guessed encoding, and in others of its kind: for people to see whether it is
    right."""
    with open_unpacked(path) as file:
        cells = _cells(file.read(SAMPLE_BYTES))
    cell = max(cells, key=lambda one: sum(byte > 0x7F for byte in one), default=b"").strip()
    shown = _read(cell, encoding)
    if not shown:
        return ""
    others = (*ASIAN, "cp1251") if encoding in ASIAN else OTHERS
    seen, more = {shown}, []
    for other in others:
        text = _read(cell, other)
        if text and text not in seen and all(_read(one, other) for one in cells):
            seen.add(text)
            more.append(f"{other}: {text}")
    return printable(f"a guess: {shown}; is it right? Else " + (", ".join(more) or "another one"))


def _likeliest(head: bytes) -> str:
    from charset_normalizer import from_bytes

    cells = _cells(head)
    found = from_bytes(b"\n".join(cells), cp_isolation=list(CANDIDATES)).best() if cells else None
    own = sum(byte > 0x7F for cell in cells for byte in cell)
    is_own_script = own >= OWN_SHARE_MIN * sum(map(len, cells))
    if found is not None and found.encoding not in {WESTERN, CENTRAL} and is_own_script:
        return found.encoding
    return CENTRAL if _is_central(cells) else WESTERN


def _is_central(cells: list[bytes]) -> bool:
    """Whether Windows-1252 has signs within words where Windows-1250 has letters."""
    strange = sum(FOREIGN.search(cell.decode(WESTERN, "replace")) is not None for cell in cells)
    return strange > FOREIGN_MIN * len(cells) and all(_read(cell, CENTRAL) for cell in cells)


def _cells(head: bytes) -> list[bytes]:
    """The different cells with a byte that is not ASCII, up to JUDGED_BYTES."""
    found: dict[bytes, None] = {}
    size = 0
    for cell in CELL.finditer(head):
        if cell[0] not in found:
            size += len(cell[0])
            found[cell[0]] = None
        if size > JUDGED_BYTES:
            break
    return list(found)


def _read(cell: bytes, encoding: str) -> str:
    """The text of a cell; empty where it is none in this encoding."""
    try:
        text = cell.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return text[:EXAMPLE_MAX] if text.isprintable() else ""


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of English text is NUL."""
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) > NUL_SHARE * half:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > NUL_SHARE * half else ""
