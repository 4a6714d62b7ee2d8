"""Records that are as much work as somebody can make of them: one of each kind, in two sizes."""

from __future__ import annotations

import gc
import json
import time
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from stream.core.events.event import Event
from stream.core.judgement.basis import Basis
from stream.core.step import on_event
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import decode_line
from stream.worker.rows.row import LiveRow, StoredRow

NAMES_OF_EMOJI: dict[str, str] = SentimentIntensityAnalyzer().emojis
LONGEST = max((each for each in NAMES_OF_EMOJI if len(each) == 1), key=lambda each: len(NAMES_OF_EMOJI[each]))
SMALL, LARGEST = 64_000, 1_040_000
"""Bytes of a record: one that a producer may well send, and the largest that is read."""

TEXTS = {
    "emoji": "😂" * 20_000,
    "emoji with long names": LONGEST * 1_000,
    "every emoji": "".join(each for each in NAMES_OF_EMOJI if len(each) == 1),
    "a sentence per emoji": "😂. " * 340,
    "families of joined emoji": "👩‍👩‍👧‍👦" * 140,
    "exclamation marks": "good" + "!" * 19_000,
    "one long word": "a" * 20_000,
    "one long word of a theme": "deliver" * 2_800,
    "capitals": "GREAT " * 3_000,
    "but and no": "but no so " * 2_000,
    "words with valence and but": "good but " * 110,
    "never so": "never so good " * 70,
    "idioms": "the shit the bomb kind of " * 40,
    "combining marks": "e" + "\u0301" * 19_000,
    "short sentences": "a.\n" * 340,
    "bad sentences": "bad. " * 4_000,
    "themes": "delivery late " * 70,
    "themes beside emoji": "😂 delivery late " * 60,
    "phrases beside accents": "é customer  service worth it " * 35,
    "clauses": "late, but good. however rude. " * 33,
    "blanks": " " * 20_000,
    "line feeds": "\n" * 20_000,
}


def ticket(text: str) -> bytes:
    """A ticket with a text."""
    return record("feedback.ticket_opened", {"ticket_id": "t", "text": text})


def lists(size: int) -> dict[str, bytes]:
    """Records of about this many bytes whose lists and fields, known or not, are as long as they can be."""
    survey: dict[str, Any] = {"response_id": "r", "survey": {"id": "s", "kind": "nps"}, "score": 5}
    order: dict[str, Any] = {"order_id": "o", "total_minor": 5, "currency": "USD"}
    line: dict[str, Any] = {"product_id": "p", "quantity": 1, "price_minor": 1}
    endless = unread('"' + '[\\"' * (size // 3))
    topics = [(f"{number} " + "late delivery " * 20)[:256] for number in range(size // 262)]
    return {
        "topics": record("feedback.survey_answered", survey | {"topic": topics}),
        "short topics": record("feedback.survey_answered", survey | {"topic": ["a"] * (size // 5)}),
        "consents": record("customer.identified", {"consent": {f"{n}": "deny" for n in range(size // 16)}}),
        "products": record(
            "purchase.completed",
            order | {"products": [line | {"category": f"{n}"} for n in range(size // 75)]},
        ),
        "digits": unread("1" * size),
        "long numbers": unread(",".join(["7" * 4_000] * (size // 4_001))),
        "numbers": unread(",".join(["1e5"] * (size // 4))),
        "lists": unread(",".join(["[]"] * min(size // 3, 99_000))),
        "more lists": unread(",".join(["[]"] * (size // 3))),
        "brackets in a text": unread('"' + "[" * size + '"'),
        "backslashes": unread('"' + "\\\\" * (size // 2) + '"'),
        "texts": unread(",".join(['"a"'] * (size // 4))),
        "escaped quotes": unread(",".join(['"\\u0022"'] * (size // 9))),
        "a text without end": endless,
        "a wrong field before a text without end": endless.replace(b'"session_id":"s"', b'"session_id":7'),
        "a backslash at the end": endless.replace(b'"session_id":"s"', b'"session_id":7')[:-3] + b"\\",
    }


def record(kind: str, data: dict[str, Any]) -> bytes:
    """An event as a producer's JSON."""
    envelope = {"specversion": "1.0", "id": "e", "source": "/s", "type": kind, "subject": "c"}
    whole = envelope | {"time": "2026-03-01T10:04:05Z", "data": data}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def unread(members: str) -> bytes:
    """A visit with a list in a field that nobody reads."""
    visit = record("engagement.session_started", {"session_id": "s", "x": 0})
    return visit.replace(b'"x":0', b'"x":[' + members.encode() + b"]")


def seconds(line: bytes) -> float:
    """CPU time from the bytes of a record to those of its row; nothing is remembered of its text.

    Without the garbage collector, which would look through all that other tests have left.
    """
    judged_by = Basis(default_policy(), default_model())
    gc.disable()
    started = time.thread_time()
    try:
        event = decode_line(line)
        if isinstance(event, Event):
            LiveRow(StoredRow(profile=on_event(None, event, judged_by).profile)).encode()
        return time.thread_time() - started
    finally:
        gc.enable()


def main() -> None:
    """Print the CPU milliseconds of each record, from its bytes to those of its row; the best of five."""
    for name, line in {
        **{f"text: {name}": ticket(text[:20_000]) for name, text in TEXTS.items()},
        **{f"64 kB: {name}": line for name, line in lists(SMALL).items()},
        **{f"1 MB: {name}": line for name, line in lists(LARGEST).items()},
    }.items():
        print(f"{min(seconds(line) for _ in range(5)) * 1e3:8.2f} ms {len(line):>10,} bytes  {name}")


if __name__ == "__main__":
    main()
