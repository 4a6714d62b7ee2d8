"""Polls of a backlog follow each other at once; polls that bring little wait, to cost less."""

from __future__ import annotations

import pytest

from stream.engine.client_internals import Fetched
from stream.engine.input.transport import FEW_RECORDS, brings_few


@pytest.mark.parametrize(("count", "few"), [(0, True), (FEW_RECORDS, True), (FEW_RECORDS + 1, False)])
def test_records_are_counted_whatever_the_number_of_partitions(count: int, few: bool) -> None:
    half = count // 2
    fetched = {"a": Fetched([object()] * half, 0, half), "b": Fetched([object()] * (count - half), 0, count)}

    assert brings_few(fetched) is few
