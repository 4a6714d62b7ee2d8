"""The program that judges the chaos runs, on records made up by hand."""

from typing import Any

import pytest

from tests.faults.verifier import Expected, _wrong_rows

WRITER = b"\x00writer"


class Written:
    """As much of a confluent-kafka message as is looked at."""

    def __init__(self, epoch: int, key: bytes, value: bytes | None = None, partition: int = 0) -> None:
        self._told = (epoch, key, value, partition)

    def headers(self) -> Any:
        return [("epoch", str(self._told[0]).encode())]

    def key(self) -> bytes:
        return self._told[1]

    def value(self) -> bytes | None:
        return self._told[2]

    def partition(self) -> int:
        return self._told[3]


FENCED = [Written(1, WRITER), Written(2, WRITER)]
LATE = Written(1, WRITER)


@pytest.mark.parametrize(
    ("records", "wrong"),
    [
        (FENCED, 0),
        ([*FENCED, LATE], 1),
        ([*FENCED, LATE, Written(2, WRITER)], 0),
        ([*FENCED, LATE, Written(3, WRITER)], 0),
        ([*FENCED, LATE, Written(2, WRITER, partition=1)], 1),
    ],
    ids=["in turn", "a late one stays", "it was mended", "another took over", "only elsewhere"],
)
def test_an_epoch_that_began_too_late_counts_until_it_is_written_over(records: list[Any], wrong: int) -> None:
    found = _wrong_rows(records, Expected())
    assert [each[:2] for each in found] == ["I6"] * wrong
