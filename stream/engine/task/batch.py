"""What leaves a lane, and the marks that may be committed when all of it is durable."""

from __future__ import annotations

import re
from typing import NamedTuple

from stream.engine.codec import Headers

END = ";"  # confluent-kafka writes a NUL behind a commit's metadata, and reads what lies behind it
TOPIC_ID = re.compile(r"[\w-]{22}", re.ASCII)


class Outgoing(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None
    partition: int | None
    row: bytes | None = None  # the key of the row that remembers it


class Mark(NamedTuple):
    """What is kept beside a committed offset: enough to go on as if nothing had happened."""

    flush: int
    clock_ms: int | None
    given_ms: int | None
    rows: int = 0  # the changelog has at least so many records; written apart, as it came later
    topic_id: str = ""  # of the topic that the offset is of, where it is known; came later still

    def encode(self) -> str:
        front = " ".join("-" if each is None else str(each) for each in self[:3])
        return f"{front}{END}{self.rows}{END}" + (f"{self.topic_id}{END}" if self.topic_id else "")

    @classmethod
    def decode(cls, text: str) -> Mark:
        front, _, back = text.partition(END)
        rows, ended, back = back.partition(END)
        topic_id, named, _ = back.partition(END)
        try:
            flush, clock, given = front.split(" ")
            return cls(
                int(flush),
                None if clock == "-" else int(clock),
                None if given == "-" else int(given),
                int(rows) if ended and rows.isdecimal() else 0,
                topic_id if named and TOPIC_ID.fullmatch(topic_id) else "",
            )
        except ValueError:
            return cls(0, None, None)


Marks = dict[str, tuple[int, Mark]]
"""Of each input the next offset to come, and what is kept beside it."""


class Checkpoint(NamedTuple):
    """A commit that waits for the rows that the table owes, with what no row remembers of its input."""

    marks: Marks
    records: list[Outgoing]
    moments: int  # that were lived since the last one


class Load(NamedTuple):
    """What leaves a lane at once; when all of it is durable, the marks may be committed."""

    flush: int
    rows: list[tuple[bytes, bytes | None]]
    outgoing: list[Outgoing]
    marks: Marks
