"""What `stream uplift` reads: alerts, deliveries and events, of files or of the topics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stream.analysis.uplift.records import Line, TrialRecords, read_alerts, read_deliveries
from stream.progress import progress
from stream.recording.event_file import numbered_lines
from stream.recording.recording import Recording


def files_read(
    events: Sequence[Path], alerts: Sequence[Path], deliveries: Sequence[Path], endpoint: str, now_ms: int
) -> tuple[TrialRecords, Recording]:
    """Records and events of files; without any of deliveries, nothing is known of them."""
    records = TrialRecords()
    read_alerts(_lines(alerts), records)
    if deliveries:
        read_deliveries(_lines(deliveries), records, endpoint)
    return records, Recording(events, progress, now_ms, wanted=_matters)


def _lines(paths: Sequence[Path]) -> Iterator[Line]:
    for path in paths:
        with progress(f"reading {path.name}", None) as advance:
            for number, line in numbered_lines(path):
                advance()
                yield f"{path}:{number}", line


def _matters(line: bytes) -> bool:
    """Whether an event says what somebody bought, or that somebody was erased; others only count as times."""
    return b"purchase." in line or b"customer.erased" in line


def topics_read(endpoint: str, now_ms: int) -> tuple[TrialRecords, Recording]:
    """Records and events of the topics of STREAM_BROKERS. ClickException when they cannot be read."""
    from stream.ops.cluster import cluster_errors, cluster_settings, from_start, partitions_of, reader
    from stream.ops.topic_recording import topic_recording
    from stream.worker.kafka.topics import topic_names

    settings = cluster_settings()
    names = topic_names(settings)
    records = TrialRecords()

    def lines(topic: str) -> Iterator[Line]:
        for message in from_start(consumer, topic):
            yield f"{topic}/{message.partition()}/{message.offset()}", message.value()

    with cluster_errors(), reader(settings) as consumer, progress("reading the topics", None):
        read_alerts(lines(names.alerts), records)
        if partitions_of(consumer, names.deliveries):
            read_deliveries(lines(names.deliveries), records, endpoint)
    return records, topic_recording(now_ms)
