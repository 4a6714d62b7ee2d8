"""Log lines on stderr: one event with fields, as JSON or, on a terminal, in colours.

Customer ids are never logged: the fields in PERSONAL are replaced by a keyed hash, by which the lines about
one customer can still be found. Lines of Faust and aiokafka take the same path; records that they quote are
cut out, and what a terminal would obey is shown as its code.
"""

from __future__ import annotations

import logging
import logging.config
import os
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import orjson
import structlog

from stream.config.settings import Settings
from stream.printable import printable_lines
from stream.pseudonyms import log_digest, utf8_bytes
from stream.worker.monitoring.no_fault import NoFault

PERSONAL = frozenset({"customer", "customer_id", "subject", "key"})
"""Fields of log lines that hold a customer id."""
QUOTED_RECORD = re.compile(
    r"(?s)(<FutureMessage|ConsumerRecord\(|<Event:|<ConsumerMessage|<PendingMessage).*"
)
FOREIGN_CHARACTERS_MAX = 2_000
"""Longest line of Faust or aiokafka that is logged: a traceback of some 20 frames."""

EventDict = MutableMapping[str, Any]
Processor = Callable[[Any, str, EventDict], EventDict]


def customer_hash(key: bytes) -> Callable[[object], str]:
    """A function customer id -> 16 hex digits. Without the key nobody can test a guessed id against them."""

    def hashed(customer: object) -> str:
        return log_digest(key, customer if isinstance(customer, bytes) else str(customer)).hex()

    return hashed


def _without_customers(key: bytes) -> Processor:
    hashed = customer_hash(key)

    def without_customers(logger: Any, method: str, event: EventDict) -> EventDict:
        for field in PERSONAL & event.keys():
            event[field] = hashed(event[field])
        return event

    return without_customers


def without_quoted_record(logger: Any, method: str, event: EventDict) -> EventDict:
    """Cut a line of Faust or aiokafka where it begins to quote a record (faust/topics.py, _on_published)."""
    for field in ("event", "exception"):
        if field in event:
            event[field] = QUOTED_RECORD.sub("(record left out)", str(event[field]))[:FOREIGN_CHARACTERS_MAX]
    return event


def fit_to_be_shown(logger: Any, method: str, event: EventDict) -> EventDict:
    """Texts of records, brokers and files may be in any field: a terminal must not obey them."""
    return {
        name: printable_lines(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _renderer(settings: Settings) -> structlog.types.Processor:
    as_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    if as_console:
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _of_worker(number: int) -> Processor:
    def of_worker(logger: Any, method: str, event: EventDict) -> EventDict:
        event["worker"] = number
        return event

    return of_worker


def log_config(settings: Settings, number: int | None = None) -> dict[str, Any]:
    """The configuration for logging.config.dictConfig, of all loggers; also configures structlog.

    `number`: which of several workers of one command this process is; its lines name it.
    """
    key = utf8_bytes(settings.log_key) or os.urandom(32)
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_customers(key),
        *([] if number is None else [_of_worker(number)]),
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [structlog.stdlib.add_logger_name, *shared, without_quoted_record],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            fit_to_be_shown,
            _renderer(settings),
        ],
    }
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "structured"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"no_fault": {"()": NoFault}},
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {**handler, "filters": ["no_fault"]}},
        "root": {"handlers": ["stderr"], "level": settings.log_level.upper()},
        "loggers": _quieter(settings),
    }


def _quieter(settings: Settings) -> dict[str, Any]:
    """What only developers of the clients want to read.

    aiokafka logs every request and answer at debug: all records, and with SASL PLAIN the password. Faust and
    its services (mode) have some forty lines for each start and stop.
    """
    debugging = settings.log_level == "debug"
    return {name: {"level": "INFO" if debugging else "WARNING"} for name in ("aiokafka", "faust", "mode")}


def configure_logs(settings: Settings, number: int | None = None) -> None:
    """Set up logging of this process to standard error, as `log_config` says; a later call replaces it."""
    logging.config.dictConfig(log_config(settings, number))
