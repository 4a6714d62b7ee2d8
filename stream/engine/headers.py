"""Headers of a record that confluent-kafka read, also where a name is no text: any producer can write one."""

from __future__ import annotations

from operator import methodcaller

from confluent_kafka import Message

_headers = methodcaller("headers")


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """None of them when one has a name that is no UTF-8: librdkafka's client in Python cannot say that.

    It gives a list with a hole, and leaves its exception for whoever comes next; a call that Python has not
    specialised notices at once. The list stays with the message: who reads it again ends the process.
    """
    try:
        return _headers(message) or []
    except (UnicodeDecodeError, SystemError):
        message.set_headers([])
        return []
