"""Decodes Kafka records to events and encodes what is sent: the only package that knows the format.

Invalid input is a value (`Rejected`), never an exception: whatever a producer sends, these functions return.
"""

from stream.wire.binary import STRUCTURED_HEADERS
from stream.wire.decode import (
    BROADCAST,
    FUTURE_TOLERANCE_MS,
    TOO_EARLY,
    TOPIC_KIND_OF,
    YEAR_MAX,
    YEAR_MIN,
    decode,
    decode_line,
    decode_own,
    is_broadcast,
    kind_of,
)
from stream.wire.encode import (
    encode_alert,
    encode_event,
    encode_event_binary,
    encode_profile_view,
    profile_view_headers,
)
from stream.wire.outcome import Decoded, InputHeaders, Reason, Rejected, TopicKind, Unknown
from stream.wire.partition import murmur2, partition_of

__all__ = [
    "BROADCAST",
    "FUTURE_TOLERANCE_MS",
    "STRUCTURED_HEADERS",
    "TOO_EARLY",
    "TOPIC_KIND_OF",
    "YEAR_MAX",
    "YEAR_MIN",
    "Decoded",
    "InputHeaders",
    "Reason",
    "Rejected",
    "TopicKind",
    "Unknown",
    "decode",
    "decode_line",
    "decode_own",
    "encode_alert",
    "encode_event",
    "encode_event_binary",
    "encode_profile_view",
    "is_broadcast",
    "kind_of",
    "murmur2",
    "partition_of",
    "profile_view_headers",
]
