"""Checks of settings that go beyond the type of a value: characters, host names, ports, files in PEM form.

Each gives the reason in words why a value cannot be used, or nothing.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from stream.config.settings import FILES, Settings
from stream.pseudonyms import keys_problem

PORT_MAX = 65_535
SECRET_BYTES_MAX = 65_536
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class SecretFileError(Exception):
    """The file that should hold a secret holds none; the message says why."""


def text_problem(text: str) -> str:
    """Why a text can be the value of no setting at all."""
    if CONTROL.search(text):
        return "holds a control character (a line end?)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return ""


def secret_of(path: Path) -> str:
    """What a file holds, without line ends at its end. SecretFileError."""
    try:
        with path.open("rb") as file:
            held = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise SecretFileError(error.strerror or str(error)) from error
    except ValueError as error:  # a name that no file can have
        raise SecretFileError(str(error)) from error
    if len(held) > SECRET_BYTES_MAX:
        raise SecretFileError(f"it holds more than {SECRET_BYTES_MAX:,} bytes")
    try:
        return held.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise SecretFileError("what it holds is not UTF-8 text") from error


def host_problem(host: str) -> str:
    """Why this can be no host: neither an IP address nor a name of letters, digits and hyphens."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            labels = host.removesuffix(".").encode("idna").decode().split(".")
        except UnicodeError:
            labels = [""]
        if all(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", label) for label in labels):
            return ""
        return "expected an IP address or a host name (labels of 1 to 63 letters, digits, `-`)"
    return ""


def value_problems(settings: Settings) -> Iterator[tuple[str, str]]:
    """Settings whose value has the right form and can still not be used: name, reason."""
    if settings.brokers != "embedded":
        for broker in settings.brokers.split(","):
            host, _, port = broker.rpartition(":")
            if not 1 <= int(port) <= PORT_MAX:
                yield "brokers", f"the port of {broker} is not between 1 and {PORT_MAX:,}"
            elif host_problem(host):
                yield "brokers", f"{host}: {host_problem(host)}"
    if reason := keys_problem(settings.erasure_key):
        yield "erasure_key", reason
    if host_problem(settings.http_host):
        yield "http_host", host_problem(settings.http_host)
    for name in (each for each in FILES if getattr(settings, each)):
        path = getattr(settings, name)
        if not (os.path.isfile(path) and os.access(path, os.R_OK)):
            yield name, "no such readable file"
        elif name in {"ssl_ca_file", "ssl_cert_file", "oauth_ca_file"} and not _holds_certificates(path):
            yield name, "expected certificates in PEM form (-----BEGIN CERTIFICATE-----)"
        elif name == "ssl_key_file" and (reason := _key_problem(settings.ssl_cert_file, path)):
            yield name, reason


def _holds_certificates(path: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except (ssl.SSLError, OSError, ValueError):
        return False
    return True


def _key_problem(certificate: str, key: str) -> str:
    """Nothing where the certificate is the problem: that is told of its own setting."""
    if not certificate or not _holds_certificates(certificate):
        return ""
    asked: list[bool] = []

    def passphrase() -> str:
        asked.append(True)
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        if asked:
            return "the key has a passphrase; expected one without"
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            return "the key does not belong to the certificate in STREAM_SSL_CERT_FILE"
        return "expected a private key in PEM form (-----BEGIN PRIVATE KEY-----)"
    return ""
