"""The metadata beside a committed offset: it comes back as it was, and in another form it is refused."""

import pytest

from stream.engine.failure import EngineError, Exit
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoint, LastRead
from tests.support.engine_model import Raw

TP = PartitionId("events", 3)
TOPIC_ID = "FanuN8pRSJ-tHmYrza4rUQ"
POINT = CommitPoint(41, flush=7, clock_ms=None, given_ms=5, rows=300)


def decoded(metadata: str, offset: int = 41) -> CommitPoint:
    return CommitPoint.decode(TP, offset, metadata)


def test_the_form_is_this_one():
    assert POINT.metadata() == "7 - 5;300;"
    assert POINT._replace(clock_ms=-8, topic_id=TOPIC_ID).metadata() == f"7 -8 5;300;{TOPIC_ID};"
    assert POINT._replace(live=True).metadata() == "7 - 5;300;live;"
    assert POINT._replace(topic_id=TOPIC_ID, live=True).metadata() == f"7 - 5;300;{TOPIC_ID};live;"
    read = POINT._replace(live=True, last_read=LastRead(39, 0xAB))
    assert read.metadata() == "7 - 5;300;live;@39 000000ab;"


def test_a_record_is_known_again_by_key_value_and_timestamp():
    record = Raw(*TP, 5, b"value", b"key", 1_700_000_000_000)
    others = [
        Raw(*TP, 5, b"value", b"key", 1_700_000_000_001),
        Raw(*TP, 5, b"value", b"kex", 1_700_000_000_000),
        Raw(*TP, 5, b"valuf", b"key", 1_700_000_000_000),
        Raw(*TP, 5, None, None, -1),
    ]

    known = LastRead.of_all([record])[0]

    assert known == LastRead.of_all([Raw(*TP, 5, b"value", b"key", 1_700_000_000_000)])[0]
    assert known not in LastRead.of_all(others)


@pytest.mark.parametrize(
    "point",
    [
        POINT,
        POINT._replace(clock_ms=-8, topic_id=TOPIC_ID),
        POINT._replace(live=True),
        POINT._replace(topic_id=TOPIC_ID, live=True),
        POINT._replace(last_read=LastRead(39, 0xAB)),
        POINT._replace(topic_id=TOPIC_ID, live=True, last_read=LastRead(39, 0xFFFF_FFFF)),
    ],
)
@pytest.mark.parametrize("behind", ["", "\0", "\0?;", "8 9 7;"])
def test_metadata_comes_back_whatever_a_client_in_c_left_behind_it(point: CommitPoint, behind: str):
    assert decoded(point.metadata() + behind) == point


def test_half_a_topic_id_from_a_client_s_memory_is_none():
    assert decoded(f"7 - 5;300;\0{TOPIC_ID[1:]};").topic_id == ""
    assert decoded(POINT._replace(topic_id=TOPIC_ID).metadata()[:-1]).topic_id == ""


def test_commits_of_a_version_that_knew_no_live_lanes_are_of_lanes_in_a_history():
    assert not decoded(f"7 - 5;300;{TOPIC_ID};").live


def test_kafka_takes_4_096_bytes_of_metadata():
    read = LastRead(10**18, 0xFFFF_FFFF)
    assert len(CommitPoint(0, 10**18, -(10**18), 10**18, 10**18, TOPIC_ID, True, read).metadata()) < 200


@pytest.mark.parametrize("metadata", ["", "\0"])
def test_an_offset_that_was_set_by_hand_has_no_metadata(metadata: str):
    assert decoded(metadata, offset=8) == CommitPoint(8)


@pytest.mark.parametrize("metadata", ["7 - 5;", "7 - 5;30", "7 5;300;", "x", "7 - 5 300"])
def test_metadata_in_another_form_is_refused_with_the_remedy(metadata: str):
    with pytest.raises(EngineError) as failure:
        decoded(metadata)

    assert failure.value.code == Exit.CONFIGURATION
    assert str(failure.value) == (
        "events/3: the metadata of its committed offset 41 is in no form that this version writes "
        f"({metadata!r}). Stop all workers, then set the offsets of the group by hand (runbook)"
    )
