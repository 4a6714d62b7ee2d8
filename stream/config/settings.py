"""Every setting with its meaning, bounds and default. To add a setting, add a field to `Settings`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

TOPIC_PATTERN = r"^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,200}$"
BROKERS_PATTERN = r"^(embedded|[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*)$"


def _meaning(text: str, allowed: str = "", **bounds: Any) -> Meta:
    """The description of a setting; `allowed` gives the allowed values in words, for patterns and paths."""
    return Meta(description=text, extra={"allowed": allowed}, **bounds)


def _topic(meaning: str) -> Meta:
    return _meaning(meaning, "1 to 200 letters, digits, `.`, `_`, `-`", pattern=TOPIC_PATTERN)


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a process. `flush_interval_ms` is read from the variable STREAM_FLUSH_INTERVAL_MS."""

    brokers: Annotated[
        str,
        _meaning(
            "Kafka's bootstrap servers. `embedded`: a broker in memory inside this process, for trials.",
            "host:port, several separated by commas, or embedded",
            pattern=BROKERS_PATTERN,
        ),
    ] = "localhost:9092"
    security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        _meaning("Security protocol of the brokers."),
    ] = "PLAINTEXT"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], _meaning("SASL mechanism.")
    ] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, _meaning("User name for SASL.")] = ""
    sasl_password: Annotated[str, _meaning("Password for SASL. Secret.")] = ""
    ssl_ca_file: Annotated[
        str, _meaning("CA certificates to trust; empty: those of the system.", "a readable PEM file")
    ] = ""
    ssl_cert_file: Annotated[str, _meaning("Client certificate of this process.", "a readable PEM file")] = ""
    ssl_key_file: Annotated[
        str,
        _meaning("Private key of the client certificate.", "a readable PEM file without passphrase"),
    ] = ""

    app_id: Annotated[str, _topic("Consumer group; also the prefix of transactional ids.")] = (
        "customer-stream"
    )
    instance_id: Annotated[
        str,
        _meaning(
            "Id of this worker in the group (static membership, KIP-345): a restart within "
            "STREAM_SESSION_TIMEOUT_S causes no rebalance; empty: no static membership.",
            "at most 200 letters, digits, `.`, `_`, `-`",
            pattern=r"^[a-zA-Z0-9._-]{0,200}$",
        ),
    ] = ""
    guarantee: Annotated[
        Literal["at_least_once", "exactly_once"],
        _meaning(
            "Neither loses events or alerts. `at_least_once`: after a crash an alert may be sent a second "
            "time, with the same id. `exactly_once`: rows, alerts and offsets are one Kafka transaction."
        ),
    ] = "at_least_once"
    store: Annotated[
        Literal["memory", "rocksdb"],
        _meaning("Where profiles are kept between events; both are rebuilt from the profiles topic."),
    ] = "memory"
    data_dir: Annotated[str, _meaning("Folder of the rocksdb store; one per worker.")] = ".stream"
    hot_rows: Annotated[
        int,
        _meaning(
            "Profiles kept as decoded objects, about 10 kB each, over all partitions of a worker. The others "
            "are kept encoded, 2 to 3 kB each, in memory or on disk; decoding one takes 10 to 20 us.",
            ge=100,
            le=100_000_000,
        ),
    ] = 100_000
    flush_interval_ms: Annotated[
        int,
        _meaning(
            "About the longest time until a changed profile is written and the offsets of its events are "
            "committed. Under low load both are done at once. A worker that keeps up with its input sends "
            "alerts without waiting for it.",
            ge=10,
            le=60_000,
        ),
    ] = 5_000
    max_idle_ms: Annotated[
        int,
        _meaning(
            "How long the merge by event time waits for a topic that has more records while Kafka delivers "
            "none. Then it goes on without the topic and counts that (`merge_given_up_total`).",
            ge=0,
            le=100_000,
        ),
    ] = 60_000
    merge_wait_ms: Annotated[
        int,
        _meaning(
            "How long a record waits for topics that were read to their end, so that events sent to a "
            "running worker are applied in order of event time. In a history: how long a topic may pause "
            "while the others wait for it. Alerts are later by as much. 0: topics are not waited for.",
            ge=0,
            le=60_000,
        ),
    ] = 0
    history_quiet_s: Annotated[
        int,
        _meaning(
            "With `STREAM_CLOCK=wall`: a history has paused or ended when nothing arrives on any input topic "
            "for so long; then silence up to its last event is judged. A partition follows the wall clock "
            "when it has read no history for so long while purchases are live. Alerts that silence causes "
            "are later by as much at the end of a history.",
            ge=1,
            le=1_800,
        ),
    ] = 120
    session_timeout_s: Annotated[
        int,
        _meaning(
            "How long Kafka waits for a worker that sends no heartbeats before it gives the worker's "
            "partitions to others.",
            ge=6,
            le=1_800,
        ),
    ] = 30
    stall_after_s: Annotated[
        int,
        _meaning(
            "How far other topics may be ahead of purchases in event time. Beyond that, purchases count as "
            "stalled: later records wait, and customers are not judged inactive for missing purchases.",
            ge=1,
            le=31_536_000,
        ),
    ] = 21_600
    clock: Annotated[
        Literal["wall", "event"],
        _meaning(
            "`wall`: time follows the wall clock while events are live; in a history it follows the events. "
            "`event`: it always follows the events (demo, tests)."
        ),
    ] = "wall"

    batch_bytes_max: Annotated[
        int,
        _meaning(
            "The most bytes that one batch of records may hold when it is decompressed; a larger one becomes "
            "one dead letter. The default is 32 times what our topics take of a compressed batch (2 MiB); "
            "JSON shrinks to a tenth or so. At worst each partition needs as much memory while it is read.",
            ge=2_097_152,
            le=1_073_741_824,
        ),
    ] = 67_108_864

    policy: Annotated[str, _meaning("Policy file, TOML; empty: the built-in policy.", "a readable file")] = ""
    model: Annotated[
        str,
        _meaning(
            "Model file to start with; empty: the built-in model. A published model replaces it. At a start "
            "STREAM_MODEL replaces the published model if it was changed since the publication and its model "
            "was fitted later.",
            "a readable file",
        ),
    ] = ""

    topic_prefix: Annotated[
        str,
        _meaning(
            "Prefix of every topic name, for example `staging.`.",
            "at most 40 letters, digits, `.`, `_`, `-`",
            pattern=r"^[a-zA-Z0-9._-]{0,40}$",
        ),
    ] = ""
    topic_purchases: Annotated[str, _topic("Input: purchases, refunds, cancellations.")] = (
        "customers.purchases.v1"
    )
    topic_engagement: Annotated[str, _topic("Input: sessions, products, messages.")] = (
        "customers.engagement.v1"
    )
    topic_feedback: Annotated[str, _topic("Input: reviews, surveys, tickets.")] = "customers.feedback.v1"
    topic_control: Annotated[str, _topic("Input: identity, consent, erasure, cost, ticks, models.")] = (
        "customers.control.v1"
    )
    topic_profiles: Annotated[str, _topic("Output: profiles, compacted; the table's changelog.")] = (
        "customers.profiles.v1"
    )
    topic_alerts: Annotated[str, _topic("Output: alerts.")] = "customers.alerts.v1"
    topic_deadletter: Annotated[str, _topic("Output: rejected records (dead letters).")] = (
        "customers.deadletter.v1"
    )
    partitions: Annotated[
        int,
        _meaning(
            "Partitions of every topic that `stream topics apply` creates; never changed afterwards.",
            ge=1,
            le=1_000,
        ),
    ] = 12
    replication: Annotated[
        int,
        _meaning("Replicas of each partition; 3 in production, -1: the brokers' default.", ge=-1, le=10),
    ] = -1

    deadletter_window: Annotated[
        int,
        _meaning(
            "Dead letters are counted over this many of the latest input records; 0: no limit.",
            ge=0,
            le=100_000_000,
        ),
    ] = 10_000
    deadletter_count_max: Annotated[
        int,
        _meaning("The worker stops when more than this many records of the window were rejected ...", ge=0),
    ] = 1_000
    deadletter_share_max: Annotated[
        float, _meaning("... and they are more than this share of the records counted so far.", ge=0, le=1)
    ] = 0.5

    deliver_endpoints: Annotated[
        str, _meaning("Endpoints file of `stream deliver`, TOML.", "a readable file")
    ] = ""
    deliver_queue: Annotated[
        str,
        _meaning(
            "Queue of `stream deliver`: a SQLite file on a local disk, or postgresql://user@host/database. "
            "It holds what was not delivered yet; back it up, and do not delete it."
        ),
    ] = "deliver.db"
    deliver_http_port: Annotated[
        int,
        _meaning(
            "Port of the same of `stream deliver run`; 0: any free port.",
            ge=0,
            le=65_535,
        ),
    ] = 6067

    http_host: Annotated[
        str,
        _meaning(
            "Address of /healthz, /readyz and /metrics. There is no login: do not expose it.",
            "an IP address or a host name",
        ),
    ] = "127.0.0.1"
    http_port: Annotated[
        int, _meaning("Port of the same; 0: any free port, which is logged.", ge=0, le=65_535)
    ] = 6066
    dashboard_port: Annotated[
        int,
        _meaning("Port of `stream dashboard`, which serves on 127.0.0.1; 0: any free port.", ge=0, le=65_535),
    ] = 8080
    dashboard_names: Annotated[
        str,
        _meaning(
            "Host names under which a reverse proxy, which must ask for a login, leads to the dashboard; "
            "it answers to no other name but localhost.",
            "host names, separated by commas",
        ),
    ] = ""
    log_format: Annotated[
        Literal["auto", "json", "console"], _meaning("`auto`: console on a terminal, otherwise JSON.")
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _meaning("Lowest level that is logged.")
    ] = "info"
    log_key: Annotated[
        str,
        _meaning(
            "Key of the hashes that replace customer ids in log lines. With one key for all workers their "
            "lines about a customer can be joined; empty: a random key per process. Secret."
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"Settings({self.brokers}, {self.app_id})"  # no secret in a traceback


SECRETS = frozenset({"sasl_password", "log_key"})
"""Never shown. Each may also be in a file that a variable names, for example STREAM_SASL_PASSWORD_FILE."""

FILES = ("ssl_ca_file", "ssl_cert_file", "ssl_key_file", "policy", "model")
"""Settings that name a file; it must be readable at the start."""
