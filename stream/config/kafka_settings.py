"""The settings of brokers and topics: those that every process on Kafka has."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

TOPIC_PATTERN = r"^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,200}$"
TOKEN_URL_PATTERN = (
    r"^(https://[^\s/@?#]+(/[^\s@?#]*)?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(/[^\s@?#]*)?)?$"
)
BROKERS_PATTERN = r"^(embedded|[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*)$"


def meaning(text: str, allowed: str = "", **bounds: Any) -> Meta:
    """The description of a setting; `allowed` gives the allowed values in words, for patterns and paths."""
    return Meta(description=text, extra={"allowed": allowed}, **bounds)


def topic_name(text: str) -> Meta:
    return meaning(text, "1 to 200 letters, digits, `.`, `_`, `-`", pattern=TOPIC_PATTERN)


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """Where Kafka is, how to log in, and what the topics are called."""

    brokers: Annotated[
        str,
        meaning(
            "Kafka's bootstrap servers. `embedded`: a broker in memory inside this process, for trials.",
            "host:port, several separated by commas, or embedded",
            pattern=BROKERS_PATTERN,
        ),
    ] = "localhost:9092"
    security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        meaning("Security protocol of the brokers."),
    ] = "PLAINTEXT"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
        meaning("SASL mechanism: a user with a password, or access tokens (STREAM_OAUTH_...)."),
    ] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, meaning("User name for SASL.")] = ""
    sasl_password: Annotated[str, meaning("Password for SASL. Secret.")] = ""
    oauth_token_url: Annotated[
        str,
        meaning(
            "Token endpoint for OAUTHBEARER, asked for access tokens by client credentials (RFC 6749, 4.4), "
            "anew when four fifths of a token's life are over. There are 10 s for an answer.",
            "https://host/path without user, query and fragment; http on loopback",
            pattern=TOKEN_URL_PATTERN,
        ),
    ] = ""
    oauth_client_id: Annotated[str, meaning("Client id at the token endpoint.")] = ""
    oauth_client_secret: Annotated[str, meaning("Client secret at the token endpoint. Secret.")] = ""
    oauth_scope: Annotated[str, meaning("Scope to ask for, as the token endpoint names it; empty: none.")] = (
        ""
    )
    oauth_ca_file: Annotated[
        str,
        meaning("CA certificates for the token endpoint; empty: those of the system.", "a readable PEM file"),
    ] = ""
    ssl_ca_file: Annotated[
        str, meaning("CA certificates to trust; empty: those of the system.", "a readable PEM file")
    ] = ""
    ssl_cert_file: Annotated[str, meaning("Client certificate of this process.", "a readable PEM file")] = ""
    ssl_key_file: Annotated[
        str,
        meaning("Private key of the client certificate.", "a readable PEM file without passphrase"),
    ] = ""

    topic_prefix: Annotated[
        str,
        meaning(
            "Prefix of every topic name, for example `staging.`.",
            "at most 40 letters, digits, `.`, `_`, `-`",
            pattern=r"^[a-zA-Z0-9._-]{0,40}$",
        ),
    ] = ""
    topic_purchases: Annotated[str, topic_name("Input: purchases, refunds, cancellations.")] = (
        "customers.purchases.v1"
    )
    topic_engagement: Annotated[str, topic_name("Input: sessions, products, messages.")] = (
        "customers.engagement.v1"
    )
    topic_feedback: Annotated[str, topic_name("Input: reviews, surveys, tickets.")] = "customers.feedback.v1"
    topic_control: Annotated[
        str, topic_name("Input: identity, consent, erasure, cost, models, policies.")
    ] = "customers.control.v1"
    topic_profiles: Annotated[str, topic_name("Output: profiles, compacted; the table's changelog.")] = (
        "customers.profiles.v1"
    )
    topic_alerts: Annotated[str, topic_name("Output: alerts.")] = "customers.alerts.v1"
    topic_shadow: Annotated[
        str, topic_name("Output: alerts of a shadow policy (`stream policy shadow`), which nobody acts on.")
    ] = "customers.alerts.shadow.v1"
    topic_deliveries: Annotated[str, topic_name("Output of `stream deliver`: what became of each alert.")] = (
        "customers.deliveries.v1"
    )
    topic_view: Annotated[
        str, topic_name("Output with STREAM_PROFILES_VIEW=on: profiles for other programs, compacted.")
    ] = "customers.profiles.view.v1"
    topic_deadletter: Annotated[str, topic_name("Output: rejected records (dead letters).")] = (
        "customers.deadletter.v1"
    )
    partitions: Annotated[
        int,
        meaning(
            "Partitions of every topic that `stream topics apply` creates; never changed afterwards.",
            ge=1,
            le=1_000,
        ),
    ] = 12
    replication: Annotated[
        int,
        meaning("Replicas of each partition; 3 in production, -1: the brokers' default.", ge=-1, le=10),
    ] = -1
