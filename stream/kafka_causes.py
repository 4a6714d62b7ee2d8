"""Why Kafka does not answer, in words: an address, a login, a certificate, a kind of listener, a right.

librdkafka tries again for ever and calls most of it "transport failure". So when no answer comes, its own
reports are read, and the first broker is asked by hand what kind of listener it has: is there TLS, is the
certificate good, is a login expected (a SaslHandshake request, KIP-43). Causes that do not pass by themselves
are certain; anything else (a broker that starts) is waited for.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from stream.kafka_login import TokenError

TRUSTED_AFTER_S = 3.0
"""A certain cause must hold for so long: a broker that starts may refuse a login for a moment."""
PROBE_TIMEOUT_S = 2.0
PROBES_MAX = 3
"""Addresses that are asked by hand: brokers behind a firewall cost two time-outs each."""
SASL_HANDSHAKE, SASL_HANDSHAKE_VERSION = 17, 1
NO_SASL_HERE = 34
"""ILLEGAL_SASL_STATE: the listener takes no login."""
EXPIRED, NOT_YET_VALID, OTHER_HOST, OTHER_IP = 10, 9, 62, 64
"""Results of OpenSSL's verification (X509_V_ERR_*)."""
NO_TLS = "this listener speaks no TLS: STREAM_SECURITY is {}"
NO_ACL = "an ACL for this user is missing"
REMEDIES: Mapping[int, str] = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: f"{NO_ACL} (READ, WRITE or DESCRIBE on the topic)",
    KafkaError.GROUP_AUTHORIZATION_FAILED: f"{NO_ACL} (READ on the group, STREAM_APP_ID)",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: f"{NO_ACL} (on the cluster)",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: (
        f"{NO_ACL} (WRITE on transactional ids that begin with STREAM_APP_ID)"
    ),
    KafkaError.INVALID_TIMESTAMP: "its time is more than an hour ahead of the broker's clock",
}


class NoAnswerError(Exception):
    """Kafka does not answer; the message is the cause, in one line."""


def in_words(error: KafkaError) -> str:
    """The text of Kafka's error, with what is missing or wrong where that is known."""
    remedy = REMEDIES.get(error.code())
    return f"{error.str()}: {remedy}" if remedy else str(error.str())


def why_hidden(client: Any, topic: str, timeout_s: float) -> str:
    """Why this user may not see a topic; empty when it is simply not there, or is.

    Kafka says so only when it is asked for the topic by name. `client`: any client of confluent-kafka.
    """
    error = client.list_topics(topic, timeout=timeout_s).topics[topic].error
    hidden = error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    return f"{topic}: {in_words(error)}" if hidden else ""


def wait_for_kafka(client: Mapping[str, Any], timeout_s: float) -> None:
    """Return when a broker answers, NoAnswerError after `timeout_s`, or earlier when the cause is certain.

    `client`: the settings of librdkafka. Blocks.
    """
    reports: list[KafkaError] = []
    asking = _asking(client, reports)
    until, known_at = time.monotonic() + timeout_s, 0.0
    while True:
        try:
            asking.list_topics(timeout=1.0)
            return
        except KafkaException:
            asking.poll(0.1)  # calls back with the reports
        now, cause = time.monotonic(), certain_cause(reports, client)
        known_at = (known_at or now) if cause else 0.0
        if cause and now - known_at >= TRUSTED_AFTER_S:
            raise NoAnswerError(cause)
        if now > until:
            raise NoAnswerError(cause or f"no answer from Kafka ({_last_report(reports)})")


def _asking(client: Mapping[str, Any], reports: list[KafkaError]) -> Producer:
    """A client that asks. Where it logs in by a token and there is none, that is the cause. NoAnswerError."""
    if (token_of := client.get("oauth_cb")) is not None:
        try:
            token_of()
        except TokenError as error:
            raise NoAnswerError(str(error)) from error
    return Producer({**client, "log_level": 0, "error_cb": reports.append})


def _last_report(reports: Iterable[KafkaError]) -> str:
    """The last report that says more than that all brokers are down."""
    texts = [each.str() for each in reports if each.code() != KafkaError._ALL_BROKERS_DOWN]
    return texts[-1] if texts else "no connection"


def certain_cause(reports: Iterable[KafkaError], client: Mapping[str, Any]) -> str:
    """What will not pass by itself; empty when nothing is certain."""
    protocol = str(client.get("security.protocol", "PLAINTEXT"))
    for report in reports:
        if report.code() == KafkaError._AUTHENTICATION:
            return _login_cause(report.str(), client)
    for address in str(client["bootstrap.servers"]).split(",")[:PROBES_MAX]:
        host, _, port = address.strip().rpartition(":")
        if cause := listener_cause(host, int(port), protocol, client):
            return f"{address}: {cause}"
    return ""


def _login_cause(report: str, client: Mapping[str, Any]) -> str:
    if "current SASL state" in report:
        return f"this listener takes no login: STREAM_SECURITY is {client['security.protocol']}"
    if offered := re.search(r"supported mechanisms: *([A-Z0-9,-]*)", report):
        mechanism = client["sasl.mechanism"]
        return f"the broker does not take STREAM_SASL_MECHANISM = {mechanism}; it takes {offered[1]}"
    if "oauth_cb" in client:
        return f"the broker refuses the token of {client['oauth_cb'].url} (its issuer, audience or scope?)"
    return (
        "the broker refuses the login: STREAM_SASL_USERNAME or STREAM_SASL_PASSWORD is wrong, or the user is "
        f"not known for {client['sasl.mechanism']}"
    )


def listener_cause(host: str, port: int, protocol: str, client: Mapping[str, Any]) -> str:
    """How a listener differs from what the settings say of it; empty when it does not, or is not reached."""
    try:
        with socket.create_connection((host, port), PROBE_TIMEOUT_S) as plain:
            if not protocol.endswith("SSL"):
                return _unlike_plain(plain, host, port, protocol)
            with _tls_context(client).wrap_socket(plain, server_hostname=host) as secure:
                return _unlike_login(secure, protocol)
    except ssl.SSLError as wrong:
        return _tls_cause(wrong, host, protocol)
    except ConnectionResetError:
        return NO_TLS.format(protocol)
    except OSError:
        return ""


def _tls_cause(wrong: ssl.SSLError, host: str, protocol: str) -> str:
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return _certificate_cause(wrong, host)
    if isinstance(wrong, ssl.SSLEOFError | ssl.SSLZeroReturnError) or wrong.reason == "WRONG_VERSION_NUMBER":
        return NO_TLS.format(protocol)
    if "CERTIFICATE" in str(wrong.reason):
        return "the broker wants a client certificate: STREAM_SSL_CERT_FILE, STREAM_SSL_KEY_FILE"
    return f"no TLS with this listener: {wrong.reason}"


def _unlike_plain(plain: socket.socket, host: str, port: int, protocol: str) -> str:
    if cause := _unlike_login(plain, protocol):
        return cause
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with (
        suppress(OSError),
        socket.create_connection((host, port), PROBE_TIMEOUT_S) as again,
        anybody.wrap_socket(again, server_hostname=host),
    ):
        return f"this listener speaks TLS: STREAM_SECURITY is {protocol}, not SSL or SASL_SSL"
    return ""


def _unlike_login(connection: socket.socket, protocol: str) -> str:
    mechanisms = _login_mechanisms(connection)
    if protocol.startswith("SASL") or mechanisms is None:
        return ""
    return f"this listener wants a login ({', '.join(mechanisms)}): STREAM_SECURITY is {protocol}"


def _login_mechanisms(connection: socket.socket) -> list[str] | None:
    """What the listener answers to a SaslHandshake; None when it takes no login, or does not answer."""
    name = b"?"
    body = struct.pack(">hhih", SASL_HANDSHAKE, SASL_HANDSHAKE_VERSION, 1, -1) + struct.pack(">h", 1) + name
    try:
        connection.settimeout(PROBE_TIMEOUT_S)
        connection.sendall(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", _exactly(connection, 4))
        answer = _exactly(connection, min(max(size, 0), 4_096))
        _, error, count = struct.unpack(">ihi", answer[:10])
        at, found = 10, []
        for _ in range(min(count, 32)):
            (length,) = struct.unpack(">h", answer[at : at + 2])
            found.append(answer[at + 2 : at + 2 + length].decode("ascii", "replace"))
            at += 2 + length
    except ssl.SSLError:
        raise
    except (OSError, struct.error):
        return None
    return None if error == NO_SASL_HERE else found


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        part = connection.recv(size - len(read))
        if not part:
            raise ConnectionAbortedError
        read += part
    return read


def _tls_context(client: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=client.get("ssl.ca.location"))
    if "ssl.certificate.location" in client:
        context.load_cert_chain(client["ssl.certificate.location"], client["ssl.key.location"])
    return context


def _certificate_cause(wrong: ssl.SSLCertVerificationError, host: str) -> str:
    known = {
        EXPIRED: "has expired (or this machine's clock is wrong)",
        NOT_YET_VALID: "is not valid yet (or this machine's clock is wrong)",
        OTHER_HOST: f"is for another host than {host}",
        OTHER_IP: f"is for another host than {host}",
    }
    if reason := known.get(wrong.verify_code):
        return f"the broker's certificate {reason}"
    text = "the broker's certificate is signed by an authority that is not in STREAM_SSL_CA_FILE"
    return f"{text} ({wrong.verify_message})"
