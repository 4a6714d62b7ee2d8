"""An order that stands in two files of one import counts once: as in the first of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from stream.importing.files.events.line_values import OTHER_FILE, LineRejection
from stream.importing.files.events.order_lines import OrderLine

Reject = Callable[[OrderLine, LineRejection], None]
REPEATED = LineRejection("repeated")
"""Not a reject: an equal line of an earlier file counts."""


def lines_of_first_file(lines: Sequence[OrderLine], reject: Reject) -> list[OrderLine]:
    """The lines of one order that count, as if its files were imported one after another.

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


def _first_of(group: Sequence[OrderLine], reject: Reject) -> list[OrderLine]:
    kept: list[OrderLine] = []
    for _, lines in groupby(group, attrgetter("file")):
        unused, is_first = Counter(map(_content, kept)), not kept
        for line in lines:
            content = _content(line)
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


def _content(line: OrderLine) -> bytes:
    """What the line says, wherever it stands."""
    return msgspec.msgpack.encode(msgspec.structs.replace(line, sequence=0, file=0, number=0))
