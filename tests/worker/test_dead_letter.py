"""Dead letters: unchanged, explained, always of a size that can be sent; and a limit that counts records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.worker.kafka.dead_letter import (
    COPY_BYTES_MAX,
    HEADER_BYTES_MAX,
    KEY_BYTES_MAX,
    DeadLetter,
    DeadLetterLimit,
    InputRecord,
    dead_letter,
    original_headers,
)

POISON = InputRecord(
    "customers.purchases.v1", 3, 41, b"c1", b"{not json", [("traceparent", b"00-1"), ("empty", None)]
)


def headers_of(letter: DeadLetter) -> dict[str, bytes | None]:
    return dict(letter.headers)


def bytes_of(letter: DeadLetter) -> int:
    headers = sum(len(name.encode()) + len(value or b"") for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers


def test_key_value_and_headers_are_unchanged():
    letter = dead_letter(POISON, "invalid_json", "byte 1")

    assert (letter.key, letter.value) == (b"c1", b"{not json")
    assert letter.headers[:2] == [("x-original.traceparent", b"00-1"), ("x-original.empty", None)]
    assert original_headers(letter.headers) == POISON.headers


def test_headers_name_origin_and_reason_as_kafka_connect_does():
    headers = headers_of(dead_letter(POISON, "invalid_json", "byte 1"))

    assert headers["__connect.errors.topic"] == b"customers.purchases.v1"
    assert headers["__connect.errors.partition"] == b"3"
    assert headers["__connect.errors.offset"] == b"41"
    assert headers["__connect.errors.stage"] == b"decode"
    assert headers["__connect.errors.exception.class.name"] == b"invalid_json"
    assert headers["__connect.errors.exception.message"] == b"byte 1"
    assert headers["x-dlq-reason"] == b"invalid_json"


def test_the_same_record_twice_is_the_same_dead_letter():
    first, second = (dead_letter(POISON, "invalid_json", "byte 1") for _ in range(2))

    assert first == second
    assert first.id == "customers.purchases.v1/3/41"


def test_a_record_without_key_and_value_stays_without():
    letter = dead_letter(InputRecord("t", 0, 0, None, None), "missing_key", "")

    assert (letter.key, letter.value) == (None, None)


def test_a_record_that_just_fits_is_whole_and_one_byte_more_is_cut():
    room = COPY_BYTES_MAX - sum(
        len(name) + len(value or b"") + 10 for name, value in dead_letter(POISON, "r", "").headers
    )
    value = b"x" * (room - len(POISON.key or b""))
    fits = dead_letter(InputRecord("customers.purchases.v1", 3, 41, b"c1", value, POISON.headers), "r", "")
    cut = dead_letter(
        InputRecord("customers.purchases.v1", 3, 41, b"c1", value + b"x", POISON.headers), "r", ""
    )

    assert fits.value == value
    assert "x-dlq-truncated-value-bytes" not in headers_of(fits)
    assert cut.value == value
    assert headers_of(cut)["x-dlq-truncated-value-bytes"] == str(len(value) + 1).encode()


def test_an_overlong_key_and_headers_are_cut_and_counted():
    many = [(f"h{number}", b"x" * 1_000) for number in range(100)]
    letter = dead_letter(InputRecord("t", 0, 0, b"k" * (KEY_BYTES_MAX + 1), b"v", many), "r", "")
    headers = headers_of(letter)

    assert len(letter.key or b"") == KEY_BYTES_MAX
    assert headers["x-dlq-truncated-key-bytes"] == str(KEY_BYTES_MAX + 1).encode()
    kept = dict(original_headers(letter.headers))
    assert int(headers["x-dlq-dropped-headers"] or b"") == 100 - len(kept)
    assert 0 < sum(len(value or b"") for value in kept.values()) <= HEADER_BYTES_MAX


@given(
    key=st.none() | st.binary(max_size=50) | st.just(b"k" * 2_000_000),
    value=st.none() | st.binary(max_size=50) | st.just(b"v" * 5_000_000),
    headers=st.lists(
        st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=20) | st.just(b"h" * 70_000)),
        max_size=5,
    ),
    detail=st.text(max_size=3_000),
)
def test_every_record_makes_a_dead_letter_that_can_be_sent(key, value, headers, detail):
    letter = dead_letter(InputRecord("t", 0, 7, key, value, headers), "reason", detail)

    assert bytes_of(letter) <= COPY_BYTES_MAX + 1_000
    assert letter.id == "t/0/7"


def test_the_limit_needs_both_count_and_share():
    enough_but_rare = DeadLetterLimit(window=1_000, count_max=10, share_max=0.5)
    all_but_few = DeadLetterLimit(window=1_000, count_max=10, share_max=0.5)

    assert enough_but_rare.count(1_000, 400) is None
    assert all_but_few.count(10, 10) is None


def test_the_limit_itself_is_allowed_and_one_more_stops():
    limit = DeadLetterLimit(window=1_000, count_max=10, share_max=0.5)

    assert limit.count(20, 10) is None
    stop = limit.count(1, 1)

    assert stop is not None
    assert stop.startswith("11 of the last 21 records were rejected")


def test_old_batches_leave_the_window():
    limit = DeadLetterLimit(window=100, count_max=10, share_max=0.1)
    assert limit.count(100, 10) is None

    assert limit.count(100, 10) is None
    assert (limit.total, limit.rejected) == (100, 10)


def test_a_window_of_zero_is_no_limit():
    assert DeadLetterLimit(window=0, count_max=0, share_max=0.0).count(1_000, 1_000) is None


@given(st.lists(st.integers(0, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=60))
def test_the_window_always_covers_the_last_records(batches):
    limit = DeadLetterLimit(window=100, count_max=10**9, share_max=1.0)
    for total, rejected in batches:
        limit.count(total, rejected)

    seen = [batch for batch in batches if batch[0]]
    kept = next(
        (seen[-n:] for n in range(1, len(seen) + 1) if sum(total for total, _ in seen[-n:]) >= 100), seen
    )
    assert (limit.total, limit.rejected) == (sum(t for t, _ in kept), sum(r for _, r in kept))


def test_more_rejected_than_read_is_an_assertion():
    with pytest.raises(AssertionError):
        DeadLetterLimit(10, 1, 1.0).count(1, 2)
