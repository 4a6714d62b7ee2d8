"""librdkafka's mock cluster that refuses requests on demand, as a real broker does now and then."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import confluent_kafka

PRODUCE = 0
NODE = 1
PRODUCER_TYPE = 0


@cache
def _library() -> ctypes.CDLL:
    """The librdkafka in confluent-kafka's wheel: its mock can be made to fail only from C."""
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    found = sorted(folder.glob("librdkafka*"))
    assert found, f"confluent-kafka's wheel should hold librdkafka in {folder}"
    library = ctypes.CDLL(str(found[0]))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, gives, takes in (
        ("conf_new", pointer, []),
        ("conf_set", ctypes.c_int, [pointer, text, text, text, ctypes.c_size_t]),
        ("new", pointer, [ctypes.c_int, pointer, text, ctypes.c_size_t]),
        ("destroy", None, [pointer]),
        ("mock_cluster_new", pointer, [pointer, ctypes.c_int]),
        ("mock_cluster_destroy", None, [pointer]),
        ("mock_cluster_bootstraps", text, [pointer]),
        ("mock_broker_set_rtt", ctypes.c_int, [pointer, ctypes.c_int, ctypes.c_int]),
    ):
        function = getattr(library, f"rd_kafka_{name}")
        function.restype, function.argtypes = gives, takes
    return library


class RefusingCluster:
    """One broker in this process, 4 partitions a topic. `close` it."""

    def __init__(self) -> None:
        self._library = _library()
        wrong = ctypes.create_string_buffer(512)
        settings = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(settings, b"log_level", b"0", wrong, len(wrong))
        self._client = self._library.rd_kafka_new(PRODUCER_TYPE, settings, wrong, len(wrong))
        assert self._client, wrong.value
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def refuse(self, topic: str, partition: int, *errors: int) -> None:
        """Answer the next Produce requests for the partition with these errors, and store nothing."""
        self._library.rd_kafka_mock_partition_push_request_errors(
            ctypes.c_void_p(self._cluster),
            topic.encode(),
            ctypes.c_int32(partition),
            ctypes.c_int16(PRODUCE),
            ctypes.c_size_t(len(errors)),
            *map(ctypes.c_int, errors),
        )

    def answer_after(self, milliseconds: int) -> None:
        """Delay every answer from now on."""
        self._library.rd_kafka_mock_broker_set_rtt(self._cluster, NODE, milliseconds)

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)
