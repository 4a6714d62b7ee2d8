"""An order that is written twice counts once: in two files of one import, or again in a later place of one.

Overlapping exports are imported together, or were joined into one file. In a file, the lines of an order
stand in several blocks where lines of other orders are between them. They are the same order again where
each later block holds all lines of the first, or where the row of blocks repeats as a whole. Two equal lines
next to each other, or an order whose lines are strewn over the file, may be meant so: they all count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from stream.importing.files.events.line_values import OTHER_FILE, LineRejection
from stream.importing.files.events.order_line import OWN_ORDER, OrderLine

Reject = Callable[[OrderLine, LineRejection], None]
REPEATED = LineRejection("repeated")
"""Not a reject: an equal line of an earlier file counts, or a later status of the line."""
LEFT_OUT = LineRejection("left_out")
"""Not a reject: the line was cancelled, its order goes on without it."""


def lines_that_count(lines: Sequence[OrderLine], reject: Reject) -> list[OrderLine]:
    """The lines of one order that count, as if its files were imported one after another.

    A line that is written again in its file is REPEATED; orders without a number of their own may be equal.

    Events of one order have one id, and the first event of an id wins. So what was bought counts as in the
    first file that has it, and so do lines that went back; each refund event stands for itself. A line of a
    later file that equals one of the first is REPEATED; any other is rejected.
    """
    by_kind: dict[tuple[bool, bool], list[OrderLine]] = defaultdict(list)
    for line in lines:
        by_kind[line.returned, line.direct].append(line)
    kept: list[OrderLine] = []
    for group in by_kind.values():
        kept += _first_of(group, reject)
    return sorted(kept, key=attrgetter("sequence"))


def is_in_one_place(lines: Sequence[OrderLine]) -> bool:
    """Whether no line of another order, and no end of a file, is between these lines."""
    first = lines[0]
    block, file = first.block, first.file
    return all(line.block == block and line.file == file for line in lines)


def _first_of(group: Sequence[OrderLine], reject: Reject) -> list[OrderLine]:
    kept: list[OrderLine] = []
    for _, of_file in groupby(group, attrgetter("file")):
        lines = list(of_file)
        if not lines[0].order.startswith(OWN_ORDER):
            lines = _written_once(lines, reject)
        unused, is_first = Counter(map(content_of, kept)), not kept
        for line in lines:
            content = content_of(line)
            if unused[content] > 0:
                unused[content] -= 1
                reject(line, REPEATED)
            elif is_first or line.direct:
                kept.append(line)
            else:
                first = group[0]
                where = f"order {line.order} stands on line {first.number} of {OTHER_FILE}, which counts"
                reject(line, LineRejection("order_differs", where, first.file))
    return kept


def _written_once(lines: list[OrderLine], reject: Reject) -> list[OrderLine]:
    """The lines of one order in one file without those of blocks that are written again."""
    blocks = [list(block) for _, block in groupby(lines, attrgetter("block"))]
    if len(blocks) == 1:
        return lines
    contents = [[content_of(line) for line in block] for block in blocks]
    period = _period(contents)
    first = Counter(contents[0])
    if period == len(blocks) and not all(Counter(block) >= first for block in contents[1:]):
        return lines
    begun = period if period < len(blocks) else 0
    kept = [line for block in blocks[:begun] for line in block]
    for block, texts in zip(blocks[begun:], contents[begun:], strict=True):
        unused = Counter(map(content_of, kept))
        for line, content in zip(block, texts, strict=True):
            if unused[content] > 0:
                unused[content] -= 1
                reject(line, REPEATED)
            else:
                kept.append(line)
    return kept


def _period(contents: list[list[bytes]]) -> int:
    """After how many blocks the row of blocks begins again; their number where it does not."""
    count = len(contents)
    for period in range(1, count // 2 + 1):
        if count % period == 0 and all(contents[at] == contents[at % period] for at in range(count)):
            return period
    return count


def content_of(line: OrderLine) -> bytes:
    """What the line says, wherever it stands."""
    where = {"sequence": 0, "file": 0, "number": 0, "block": 0, "status": None}
    return msgspec.msgpack.encode(msgspec.structs.replace(line, **where))
