"""A fetch asks for what the connection transfers in about a second."""

from hypothesis import given
from hypothesis import strategies as st

from stream.engine.input.fetch_size import FETCH_S, MAX_PARTITION_BYTES, MIN_PARTITION_BYTES, next_size

sizes = st.integers(MIN_PARTITION_BYTES, MAX_PARTITION_BYTES)


@given(sizes, st.floats(0.0, 1_000.0))
def test_it_stays_within_its_bounds(size: int, took_s: float) -> None:
    assert MIN_PARTITION_BYTES <= next_size(size, took_s) <= MAX_PARTITION_BYTES


@given(st.integers(20_000, 900_000))
def test_on_a_steady_line_a_fetch_comes_to_take_about_a_second(bytes_per_s: int) -> None:
    size = MAX_PARTITION_BYTES
    for _ in range(12):
        size = next_size(size, size / bytes_per_s)
    assert FETCH_S / 2 <= size / bytes_per_s <= FETCH_S * 2


def test_after_one_slow_fetch_the_size_soon_recovers() -> None:
    size = next_size(MAX_PARTITION_BYTES, 20.0)
    assert size < MAX_PARTITION_BYTES / 10
    for _ in range(5):
        size = next_size(size, 0.01)
    assert size == MAX_PARTITION_BYTES
