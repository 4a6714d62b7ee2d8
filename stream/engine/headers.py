"""The headers of a record that confluent-kafka read, also if a header's name is not UTF-8.

Any producer can write such a name, and confluent-kafka has no way to report it.
"""

from __future__ import annotations

from operator import methodcaller

from confluent_kafka import Message

_headers = methodcaller("headers")


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """Names and values; an empty list if any name is not UTF-8.

    In that case confluent-kafka returns a list with a NULL in it and leaves its exception set. CPython
    notices that after a call through `methodcaller`, but not after a call that its interpreter has
    specialized. The list stays with the message and would crash whoever reads it next, so it is replaced.
    """
    try:
        return _headers(message) or []
    except (UnicodeDecodeError, SystemError):
        message.set_headers([])
        return []
