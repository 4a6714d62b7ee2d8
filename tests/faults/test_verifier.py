"""The verifier itself, on records made by hand."""

from typing import Any

import pytest

from tests.faults.verifier import Expected, _wrong_rows

WRITER = b"\x00writer"


class Written:
    """What the verifier uses of a confluent-kafka message."""

    def __init__(self, epoch: int, key: bytes, value: bytes | None = None, partition: int = 0) -> None:
        self._parts = (epoch, key, value, partition)

    def headers(self) -> Any:
        return [("epoch", str(self._parts[0]).encode())]

    def key(self) -> bytes:
        return self._parts[1]

    def value(self) -> bytes | None:
        return self._parts[2]

    def partition(self) -> int:
        return self._parts[3]


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
    ids=["in order", "a late one stays", "it was written again", "a later epoch", "in another partition"],
)
def test_an_epoch_that_began_too_late_is_a_violation_until_it_is_overwritten(
    records: list[Any], wrong: int
) -> None:
    found = _wrong_rows(records, Expected())
    assert [each[:2] for each in found] == ["I6"] * wrong
