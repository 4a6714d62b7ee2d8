from aiokafka import partitioner
from hypothesis import given
from hypothesis import strategies as st

from stream.wire import murmur2, partition, partition_of


@given(st.binary(max_size=64))
def test_murmur2_is_that_of_the_other_clients(key):
    assert murmur2(key) == partitioner.murmur2(key) & 0xFFFFFFFF


def test_partitions_are_those_of_javas_default_partitioner():
    # hashes from Apache Kafka's UtilsTest.testMurmur2
    java = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}

    assert {key: murmur2(key) for key in java} == {key: value & 0xFFFFFFFF for key, value in java.items()}
    assert partition_of(b"foobar", 12) == (-790332482 & 0x7FFFFFFF) % 12


def test_the_cache_of_hashes_is_emptied_when_it_is_full(monkeypatch):
    monkeypatch.setattr(partition, "KEYS_REMEMBERED", 5)
    keys = [f"c{number}".encode() for number in range(20)]

    for key in (*keys, *keys):
        assert partition_of(key, 7) == (murmur2(key) & 0x7FFFFFFF) % 7
        assert len(partition._hashes) <= 5
