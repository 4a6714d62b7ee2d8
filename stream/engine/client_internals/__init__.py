"""What the engine uses of the internals of its client libraries, and the versions that have them.

aiokafka 0.14.0: all uses are in this package.
-   `fetcher.MemoryRecords`, `fetcher.PartitionRecords`: replaced, so that a fetch is read by the batch in C.
    aiokafka takes four steps of Python for each record.
-   `PartitionRecords._consume_aborted_up_to`, `_contains_abort_marker`, `_aborted_producers`: which batches
    belong to aborted transactions (records.py).
-   `fetcher.OffsetRequest`: replaced, so that the end of a log is its end, also while a transaction is open.
-   `gzip_decode`, `snappy_decode`, `lz4_decode`, `zstd_decode` in the modules `record.default_records` and
    `record.legacy_records`, in Python and in C: replaced by such with a bound (decompression.py).
-   `Fetcher._records`, `_subscriptions`, `_create_fetch_waiter`, `_wait_consume_future`, `_notify`,
    `_closed`: `take_fetched` stands for `Fetcher.fetched_records`, which goes record by record.
-   `Fetcher._proc_fetch_request`, `_max_partition_fetch_bytes`: a fetch asks for what the last one suggests.
-   `GroupCoordinator._pending_exception`: why the group cannot be joined; aiokafka waits for somebody to ask.
    `_closing`, `_maybe_leave_group`: a worker that fails leaves the group at once.
-   `GroupCoordinator._do_heartbeat`: an answered heartbeat renews the lease of the partitions.
-   `GroupCoordinator._coordination_task`, `Fetcher._fetch_task`, `AIOKafkaClient._sync_task`: whether one of
    them has ended, which nobody else notices; `cluster`: whether any broker is known yet.
-   `AIOKafkaConsumer._fetcher`, `_coordinator`, `_client`: the way to all of these.

faust-streaming 0.15.3: overridden in subclasses, where Faust calls them.
-   input/transport.py: `Consumer._drain_messages`, `_new_consumer_thread`, `_unacked_messages`, `ack`,
    `commit`, `wait_empty`, `verify_all_partitions_active`; `Producer.on_start`.
-   input/consumer_thread.py: `AIOKafkaConsumerThread._create_worker_consumer`, `_ensure_consumer`.
-   app.py: `App._new_transport`, `_on_partitions_assigned`, `_on_partitions_revoked`, `_on_agent_error`,
    `_stop_consumer`, `_stop_fetcher`, `_fetcher`, `_assignment`; `TableManager.recovery`.

librdkafka 2: the layout of a group's metadata, in `group_metadata`. (A test compares it with the client's
own.)
"""

from stream.engine.client_internals.fetching import (
    Records,
    adapt_fetch_size,
    positions,
    read_in_bulk,
    take_fetched,
)
from stream.engine.client_internals.membership import (
    committed_offsets,
    gave_up,
    generation_and_member,
    group_metadata,
    join_refused,
    knows_brokers,
    leave_group,
    on_answered_heartbeat,
    refresh_metadata,
)
from stream.engine.client_internals.open_transaction import OpenTransaction, open_transaction
from stream.engine.client_internals.records import Fetched, FetchedRecords, RawRecords, UnreadRecords
from stream.engine.client_internals.versions import SUPPORTED, check_versions

__all__ = [
    "SUPPORTED",
    "Fetched",
    "FetchedRecords",
    "OpenTransaction",
    "RawRecords",
    "Records",
    "UnreadRecords",
    "adapt_fetch_size",
    "check_versions",
    "committed_offsets",
    "gave_up",
    "generation_and_member",
    "group_metadata",
    "join_refused",
    "knows_brokers",
    "leave_group",
    "on_answered_heartbeat",
    "open_transaction",
    "positions",
    "read_in_bulk",
    "refresh_metadata",
    "take_fetched",
]
