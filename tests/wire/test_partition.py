from aiokafka import partitioner
from hypothesis import given
from hypothesis import strategies as st

from stream.wire import murmur2, partition_of


@given(st.binary(max_size=64))
def test_murmur2_is_that_of_the_other_clients(key):
    assert murmur2(key) == partitioner.murmur2(key) & 0xFFFFFFFF


def test_partitions_are_those_of_javas_default_partitioner():
    # hashes from Apache Kafka's UtilsTest.testMurmur2
    java = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}

    assert {key: murmur2(key) for key in java} == {key: value & 0xFFFFFFFF for key, value in java.items()}
    assert partition_of(b"foobar", 12) == (-790332482 & 0x7FFFFFFF) % 12
