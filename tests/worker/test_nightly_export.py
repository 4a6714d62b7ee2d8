"""The same export every night into a running worker: nothing counts twice, with --since-last and without."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stream.core.events.event import Event
from stream.wire import decode_line
from tests.support.importing import Imported
from tests.support.nightly import BEGIN, MAPPING, NIGHTS, THIRD_NIGHT, export
from tests.support.running_worker import (
    STREAM,
    WorkerKafka,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run_import(kafka: WorkerKafka, path: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [STREAM, "import", path, "--mapping", "mine.toml", "--to-kafka", "--json", *options],
        cwd=path.parent,
        env={"PATH": "/usr/bin:/bin", **kafka.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


@pytest.mark.parametrize("since_last", [True, False], ids=["since-last", "everything"])
def test_three_nights_of_overlapping_exports_make_what_one_export_makes(
    mock_broker, prefix, tmp_path, since_last
):
    (tmp_path / "mine.toml").write_text(MAPPING)
    kafka, summaries = WorkerKafka(mock_broker.bootstrap, prefix).touch_topics(), []

    with WorkerProcess(kafka, tmp_path / "log", merge_wait_ms="10000") as worker:
        for number, (first, last) in enumerate(NIGHTS):
            path = export(tmp_path, f"night-{number}.csv", first, last)
            summaries.append(run_import(kafka, path, *(["--since-last"] if since_last else [])))
            end = tick(BEGIN + timedelta(days=last))
            kafka.send(end)
            kafka.wait_for_commits(worker)
        counted = worker.metrics("events_total")
        assert worker.stop() == 0

    whole = Imported(MAPPING, export(tmp_path, "whole.csv", 0, THIRD_NIGHT))
    events = [event for line in whole.outgoing if isinstance(event := decode_line(line.value), Event)]
    profiles, alerts = replayed([*events, tick(BEGIN + timedelta(days=THIRD_NIGHT))])
    unsure = sum(count for labels, count in counted.items() if 'outcome="unsure"' in labels)
    applied = sum(
        count for labels, count in counted.items() if 'outcome="applied"' in labels and "clock" not in labels
    )

    assert_same_profiles(kafka.profiles(), profiles)
    assert first_difference(kafka.alerts(), alerts) == ""
    assert kafka.records("deadletter") == []
    if since_last:
        assert sum(summary["sent"] for summary in summaries) == applied == len(events)
        assert unsure == 0
    else:
        assert unsure > 0
        assert "are unsure and were not added" in worker.log_text()
        assert sum(summary["sent"] for summary in summaries) > 1.5 * len(events)
