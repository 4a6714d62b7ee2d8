"""Counts warnings and errors of the log by who wrote them: clients of Kafka tell trouble nowhere else."""

from __future__ import annotations

import logging

from stream.metrics import Metrics
from stream.worker.monitoring.no_fault import NoFault

PARTS = ("stream", "aiokafka", "faust", "mode")
"""First part of a logger's name; all others count as `other`. Lines of librdkafka come as `stream`'s."""
LEVELS = ("warning", "error", "critical")


class CountedLines(logging.Handler):
    """Counts, and writes nothing. Lines that tell a fault where there is none do not count."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(NoFault())
        self._count = metrics.log_lines

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line."""
        self._count.add(1, record.name.partition(".")[0], record.levelname.lower())
