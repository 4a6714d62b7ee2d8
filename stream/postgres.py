"""Connections to PostgreSQL that end when the server answers no more, and wait for one that is only slow.

A frozen server takes connections and keeps them, and libpq waits for its answer for ever: neither the kernel
nor keepalives notice it. So once a statement has had no answer for a while the server is asked by another
connection whether it answers at all. Where it does, the statement is waited for on; where it does not, the
connection is cut, and the statement ends with an error. A network that is gone is noticed by TCP itself.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

SET_UNLESS_NAMED = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Parameters of libpq that the URL says nothing of: a connection whose other end is gone ends in 30 s."""
IDLE_IN_TRANSACTION_S = 60
"""So long a process of ours that is frozen may hold the rows that it had locked."""
PROBE_S = 5
"""How long the server may take to greet another connection."""
LOOK_S = 0.25


def opened(url: str, patience_s: float) -> Any:
    """A connection (autocommit). `patience_s`: without an answer for so long the server is asked whether it
    answers; where it does not, the statement ends with an OperationalError at about PROBE_S after that.

    ImportError: psycopg is not installed. psycopg.Error: no connection.
    """
    import psycopg
    from psycopg import conninfo

    named = {**SET_UNLESS_NAMED, **conninfo.conninfo_to_dict(url)}
    connection = _watched_class().connect(**named, autocommit=True)
    probe = {**named, "connect_timeout": PROBE_S}

    def answers() -> bool:
        try:
            psycopg.connect(**probe).close()
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.Error:  # it refuses: then what is asked will end by itself
            return True
        return True

    arguments = weakref.ref(connection), patience_s, answers
    threading.Thread(target=_watch, args=arguments, name="postgres", daemon=True).start()
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_S}s'")
    return connection


@cache
def _watched_class() -> Any:
    """psycopg's connection, which knows since when it waits: all that asks the server goes by `wait`."""
    import psycopg

    class WatchedConnection(psycopg.Connection[Any]):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **more: Any) -> None:
            self.waits_since_s = self.cut_after_s = 0.0
            self.wait_lock = threading.Lock()
            super().__init__(*arguments, **more)

        def wait(self, *arguments: Any, **more: Any) -> Any:
            self.waits_since_s = time.monotonic()
            try:
                return super().wait(*arguments, **more)
            except psycopg.OperationalError as broken:
                if not self.cut_after_s:
                    raise
                text = f"no answer from {self.info.host} for {self.cut_after_s:.0f} s"
                raise psycopg.OperationalError(text) from broken
            finally:
                with self.wait_lock:
                    self.waits_since_s = 0.0

        def cut(self, since_s: float) -> None:
            """Break the connection off, if it still waits for what it has waited for since then."""
            with self.wait_lock:
                if self.waits_since_s == since_s:
                    self.cut_after_s = time.monotonic() - since_s
                    with suppress(OSError), socket.socket(fileno=os.dup(self.fileno())) as line:
                        line.shutdown(socket.SHUT_RDWR)

    return WatchedConnection


def _watch(watched: weakref.ref[Any], patience_s: float, answers: Callable[[], bool]) -> None:
    """Until the connection is closed, or nobody has it any more."""
    asked_s = 0.0
    while (connection := watched()) is not None and not connection.closed:
        since_s = connection.waits_since_s
        if since_s and time.monotonic() - max(since_s, asked_s) > patience_s:
            if not answers():
                connection.cut(since_s)
            asked_s = time.monotonic()
        del connection
        time.sleep(LOOK_S)
