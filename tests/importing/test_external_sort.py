from hypothesis import given
from hypothesis import strategies as st

from stream.importing.files import external_sort
from stream.importing.files.external_sort import ExternalSort

PAIR = tuple[int, str]


@given(st.lists(st.tuples(st.integers(-9, 9), st.text(max_size=3))), st.integers(1, 7))
def test_any_batch_size_sorts_like_memory_does(items, in_memory_max):
    with ExternalSort[PAIR](PAIR, in_memory_max) as sort:
        for item in items:
            sort.add(item)
        assert list(sort) == sorted(items)


def test_many_runs_are_merged_before_there_are_too_many(monkeypatch):
    monkeypatch.setattr(external_sort, "RUNS_MAX", 3)
    with ExternalSort[PAIR](PAIR, 2) as sort:
        for number in range(50, 0, -1):
            sort.add((number, "x"))
        assert len(sort._runs) <= 3
        assert [number for number, _ in sort] == list(range(1, 51))


def test_heavy_items_fill_a_batch_sooner():
    with ExternalSort[PAIR](PAIR, 10) as sort:
        sort.add((2, "heavy"), weight=10)
        sort.add((1, "light"))
        assert len(sort._runs) == 1
        assert list(sort) == [(1, "light"), (2, "heavy")]
