"""The connection settings of each Kafka client: brokers, TLS, login. See also kafka_login.py."""

from __future__ import annotations

import ssl
from typing import Any

from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials

from stream.config.settings import Settings
from stream.kafka_login import librdkafka_login, token_source

TLS = ("SSL", "SASL_SSL")


def librdkafka_settings(settings: Settings, bootstrap: str = "") -> dict[str, Any]:
    """The settings of confluent-kafka's clients; `bootstrap`, when given, replaces STREAM_BROKERS."""
    client: dict[str, Any] = {
        "bootstrap.servers": bootstrap or settings.brokers,
        "allow.auto.create.topics": False,  # a producer that asks whether a topic exists would create it
    }
    if settings.security != "PLAINTEXT":
        client["security.protocol"] = settings.security
    client |= librdkafka_login(settings)
    if settings.security in TLS:
        files = {
            "ssl.ca.location": settings.ssl_ca_file,
            "ssl.certificate.location": settings.ssl_cert_file,
            "ssl.key.location": settings.ssl_key_file,
        }
        client |= {name: path for name, path in files.items() if path}
    return client


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """A TLS context that checks the brokers' certificate and host name; None without TLS."""
    if settings.security not in TLS:
        return None
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.ssl_ca_file or None)
    if settings.ssl_cert_file:
        context.load_cert_chain(settings.ssl_cert_file, settings.ssl_key_file)
    return context


def _by_token(settings: Settings) -> bool:
    return settings.security.startswith("SASL") and settings.sasl_mechanism == "OAUTHBEARER"


def aiokafka_settings(settings: Settings) -> dict[str, Any]:
    """The settings of aiokafka's own clients."""
    tokens = {"sasl_oauth_token_provider": token_source(settings).provider} if _by_token(settings) else {}
    return {
        **tokens,
        "bootstrap_servers": settings.brokers,
        "security_protocol": settings.security,
        "ssl_context": tls_context(settings),
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username or None,
        "sasl_plain_password": settings.sasl_password or None,
    }


def faust_credentials(settings: Settings) -> Credentials | None:
    """Faust's setting `broker_credentials`; None for PLAINTEXT."""
    context = tls_context(settings)
    if _by_token(settings):
        return OAuthCredentials(oauth_cb=token_source(settings).provider, ssl_context=context)
    if settings.security.startswith("SASL"):
        return SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password,
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None
