"""A fault of ours in the log: what it was and where, never its text, which may name a customer."""

from __future__ import annotations

import traceback


def fault_places(fault: BaseException) -> str:
    """The names of the fault and of what caused it, each with the lines of code that led to it."""
    parts: list[str] = []
    seen: set[int] = set()
    each: BaseException | None = fault
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        parts.append(f"{type(each).__name__}\n{''.join(traceback.format_tb(each.__traceback__))}")
        each = each.__cause__ or each.__context__
    return "caused by ".join(parts)
