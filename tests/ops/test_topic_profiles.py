"""The profiles topic as a fit reads it: rows of a fenced worker are ignored, as in the engine's recovery."""

from typing import NamedTuple

import msgspec
import pytest

from stream.core.facts.profile import Profile
from stream.engine.state.epoch import EPOCH_HEADER
from stream.ops.topic_profiles import newest_rows
from stream.worker.kafka.topics_admin import ClusterError
from stream.worker.rows.row import MODEL_KEY, StoredRow
from tests.support.narrow import not_none

WRITER = b"\x00writer"


class Record(NamedTuple):
    """The parts of a message that are read."""

    whose: bytes
    what: bytes | None
    by: int | None = None
    where: int = 0

    def key(self):
        return self.whose

    def value(self):
        return self.what

    def topic(self):
        return "profiles"

    def partition(self):
        return self.where

    def headers(self):
        return None if self.by is None else [(EPOCH_HEADER, str(self.by).encode())]


def row(events, **more):
    return msgspec.json.encode(StoredRow(profile=Profile(customer="c", events=events), **more))


def events_of(records):
    return {key: kept.profile.events for key, kept in newest_rows(records).items() if kept.profile}


def test_rows_of_a_fenced_worker_are_ignored():
    records = [
        Record(b"c", row(1), 1),
        Record(WRITER, None, 2),
        Record(b"c", row(5), 2),
        Record(b"c", row(2), 1),
    ]

    assert events_of(records) == {b"c": 5}


def test_only_the_tombstone_of_the_present_worker_erases():
    kept = [Record(b"c", row(1), 1), Record(WRITER, None, 2), Record(b"c", None, 1)]
    erased = [Record(b"c", row(1), 1), Record(WRITER, None, 2), Record(b"c", None, 2)]

    assert events_of(kept) == {b"c": 1}
    assert events_of(erased) == {}


def test_epochs_count_by_partition_and_rows_without_one_are_kept():
    records = [Record(b"a", row(1), 7), Record(b"b", row(2), 1, where=1), Record(b"c", row(3))]

    assert events_of(records) == {b"a": 1, b"b": 2, b"c": 3}


def test_the_model_of_a_fenced_worker_is_not_in_force():
    records = [Record(MODEL_KEY, row(9), 3), Record(MODEL_KEY, row(1), 2)]

    assert events_of(records) == {MODEL_KEY: 9}


def test_a_row_that_cannot_be_read_leaves_its_customer_out_and_is_told(capsys):
    spoilt = row(2).replace(b'"events":2', b'"events":null')
    records = [Record(b"c", row(1)), Record(b"d", row(3)), Record(b"c", spoilt)]

    assert events_of(records) == {b"d": 3}
    assert "1 profiles cannot be read and are left out" in capsys.readouterr().err
    assert events_of([*records, Record(b"c", row(4))]) == {b"c": 4, b"d": 3}


def test_a_published_model_that_cannot_be_read_ends_the_fit_with_its_reason():
    with pytest.raises(ClusterError, match="the published model of the profiles topic cannot be read"):
        newest_rows([Record(MODEL_KEY, b"[1]")])


def later_row(**changes):
    """A row of a version that this program does not know."""
    stored = msgspec.json.decode(row(1))
    stored["profile"] |= {"version": 3, **changes}
    return msgspec.json.encode(stored)


@pytest.mark.parametrize("later", [later_row(), later_row(buying=[])], ids=["readable", "of another shape"])
def test_profiles_of_a_later_version_are_refused_in_one_line(later):
    with pytest.raises(ClusterError, match="version 3, and this program knows versions up to 2"):
        newest_rows([Record(b"c", row(1)), Record(b"c", later)])

    assert events_of([Record(b"c", later), Record(b"c", row(1))]) == {b"c": 1}  # it was replaced since


def test_profiles_of_another_meaning_are_refused_in_one_line():
    of_the_shop = msgspec.json.encode(StoredRow(profile=Profile("c", 2, "0a1b2c3d")))

    assert newest_rows([Record(b"c", of_the_shop)], "0a1b2c3d").keys() == {b"c"}
    for rows, meaning in (([Record(b"c", of_the_shop)], ""), ([Record(b"c", row(1))], "0a1b2c3d")):
        with pytest.raises(ClusterError, match=r"zone.*currency.*rates.*cut over"):
            newest_rows(rows, meaning)


def test_profiles_of_version_1_are_read_as_those_of_the_present_one():
    kept = not_none(newest_rows([Record(b"c", row(3))])[b"c"].profile)

    assert (kept.version, kept.events) == (2, 3)
