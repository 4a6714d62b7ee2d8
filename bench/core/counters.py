"""What the counters of a worker cost an event: CPU of one thread in batches of 500, the fastest of nine.

Counted as a worker does it: each event with what its step made of it, each batch once into Prometheus'
counters. What the rest of an event costs is `python -m bench core`. Run: `python -m bench.core.counters`.
"""

from __future__ import annotations

import time

from bench.workload import Workload, messages
from stream.config.settings import Settings
from stream.core.events.event import Event
from stream.core.judgement.basis import Basis
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import decode_line
from stream.worker.app import metrics_of
from stream.worker.kafka.topics import topic_names
from stream.worker.monitoring.batch_counts import BatchCounts

EVENTS, BATCH, ROUNDS = 100_000, 500, 9


def us_per_event() -> float:
    """Microseconds of CPU an event, of the made-up traffic."""
    sent = messages(Workload(events=EVENTS, customers=EVENTS // 20))
    decoded = [(each.stream, event) for each in sent if isinstance(event := decode_line(each.value), Event)]
    basis = Basis(default_policy(), default_model())
    counts = BatchCounts(metrics_of(topic_names(Settings()), basis))
    fastest = min(_seconds(counts, basis, decoded) for _ in range(ROUNDS))
    return 1e6 * fastest / len(decoded)


def _seconds(counts: BatchCounts, basis: Basis, events: list[tuple[str, Event]]) -> float:
    began_s = time.thread_time()
    for first in range(0, len(events), BATCH):
        for topic, event in events[first : first + BATCH]:
            counts.step(topic, event, "applied", basis, late=False)
        counts.publish(0.001)
    return time.thread_time() - began_s


if __name__ == "__main__":
    print(f"{us_per_event():.2f} us an event")
