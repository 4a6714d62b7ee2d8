"""Every setting, what it means, its bounds and its default: one table, which environment.py reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

TOPIC_PATTERN = r"^[a-zA-Z0-9._-]{1,200}$"
BROKERS_PATTERN = r"^(embedded|[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*)$"


def _meaning(text: str, allowed: str = "", **bounds: Any) -> Meta:
    """What a setting means; `allowed` says in words what a pattern or a path cannot."""
    return Meta(description=text, extra={"allowed": allowed}, **bounds)


def _topic(meaning: str) -> Meta:
    return _meaning(meaning, "1 to 200 letters, digits, `.`, `_`, `-`", pattern=TOPIC_PATTERN)


class Settings(Struct, frozen=True, kw_only=True):
    """All that the environment decides: `flush_interval_ms` is the variable STREAM_FLUSH_INTERVAL_MS."""

    brokers: Annotated[
        str,
        _meaning(
            "Where Kafka is; `embedded` is a broker in memory inside the process, for trials.",
            "host:port, several separated by commas, or embedded",
            pattern=BROKERS_PATTERN,
        ),
    ] = "localhost:9092"
    security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        _meaning("How to talk to the brokers."),
    ] = "PLAINTEXT"
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], _meaning("How to log in, with SASL.")
    ] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, _meaning("User name, with SASL.")] = ""
    sasl_password: Annotated[str, _meaning("Password, with SASL. Secret.")] = ""
    ssl_ca_file: Annotated[
        str, _meaning("Certificates to trust, PEM; empty: the system's own.", "a readable file")
    ] = ""
    ssl_cert_file: Annotated[str, _meaning("Our own certificate, PEM.", "a readable file")] = ""
    ssl_key_file: Annotated[str, _meaning("The key of our own certificate, PEM.", "a readable file")] = ""

    app_id: Annotated[str, _topic("Consumer group, and prefix of transactional ids.")] = "customer-stream"
    instance_id: Annotated[
        str,
        _meaning(
            "Name of this worker within the group, for restarts without a rebalance (static membership); "
            "empty: none.",
            "at most 200 letters, digits, `.`, `_`, `-`",
            pattern=r"^[a-zA-Z0-9._-]{0,200}$",
        ),
    ] = ""
    guarantee: Annotated[
        Literal["at_least_once", "exactly_once"],
        _meaning(
            "Both lose nothing. `at_least_once`: after a crash an alert may come a second time, under the "
            "same id. `exactly_once`: rows, alerts and offsets are one Kafka transaction."
        ),
    ] = "at_least_once"
    store: Annotated[
        Literal["memory", "rocksdb"],
        _meaning("Where profiles live between events; both are rebuilt from the profiles topic."),
    ] = "memory"
    data_dir: Annotated[str, _meaning("Folder of the rocksdb store; one per worker.")] = ".stream"
    hot_rows: Annotated[
        int,
        _meaning(
            "Profiles kept ready as objects, about 10 kB each, over all partitions of a worker; the others "
            "rest as 2 kB in memory or on disk and cost 10 to 20 us more to come back.",
            ge=100,
            le=100_000_000,
        ),
    ] = 100_000
    flush_interval_ms: Annotated[
        int,
        _meaning(
            "About the longest that a changed profile waits to be written, and the offset of its events to "
            "be committed. Under little load both are done at once. Alerts of a worker that keeps up do not "
            "wait for it.",
            ge=10,
            le=60_000,
        ),
    ] = 5_000
    max_idle_ms: Annotated[
        int,
        _meaning(
            "How long the merge by time waits for a topic that has records to come when Kafka gives none of "
            "them; then it goes on without, and counts that.",
            ge=0,
            le=100_000,
        ),
    ] = 60_000
    merge_wait_ms: Annotated[
        int,
        _meaning(
            "How long a record waits for topics that were read to their end, so that what is sent into a "
            "running worker is judged in order of time; alerts are later by as much. 0: not at all.",
            ge=0,
            le=60_000,
        ),
    ] = 0
    session_timeout_s: Annotated[
        int,
        _meaning(
            "How long a worker may be silent before Kafka gives its partitions to the others.", ge=6, le=1_800
        ),
    ] = 30
    stall_after_s: Annotated[
        int,
        _meaning(
            "When other sources are this much ahead of purchases in event time, these count as stalled: "
            "silence is then not held against customers.",
            ge=1,
            le=31_536_000,
        ),
    ] = 21_600
    clock: Annotated[
        Literal["wall", "event"],
        _meaning("`wall`: time passes without events (live). `event`: only events move time (replay, demo)."),
    ] = "wall"

    policy: Annotated[str, _meaning("Policy file, TOML; empty: the built-in policy.", "a readable file")] = ""
    model: Annotated[
        str,
        _meaning(
            "Model record to begin with; empty: the built-in one. A published model takes its place, and "
            "gives way at a start to one set since then that was fitted later.",
            "a readable file",
        ),
    ] = ""

    topic_prefix: Annotated[
        str,
        _meaning(
            "Put before every topic name, as `staging.`.",
            "at most 40 letters, digits, `.`, `_`, `-`",
            pattern=r"^[a-zA-Z0-9._-]{0,40}$",
        ),
    ] = ""
    topic_purchases: Annotated[str, _topic("Purchases, refunds, cancellations: in.")] = (
        "customers.purchases.v1"
    )
    topic_engagement: Annotated[str, _topic("Sessions, products, messages: in.")] = "customers.engagement.v1"
    topic_feedback: Annotated[str, _topic("Reviews, surveys, tickets: in.")] = "customers.feedback.v1"
    topic_control: Annotated[str, _topic("Identity, consent, erasure, cost, ticks: in.")] = (
        "customers.control.v1"
    )
    topic_profiles: Annotated[str, _topic("Profiles, compacted: out, and the table's changelog.")] = (
        "customers.profiles.v1"
    )
    topic_alerts: Annotated[str, _topic("Alerts: out.")] = "customers.alerts.v1"
    topic_deadletter: Annotated[str, _topic("What could not be understood: out.")] = "customers.deadletter.v1"
    partitions: Annotated[
        int,
        _meaning(
            "Partitions of every topic `stream topics apply` makes; never changed afterwards.", ge=1, le=1_000
        ),
    ] = 12
    replication: Annotated[
        int,
        _meaning("Copies of each partition; 3 in production, -1: the brokers' own default.", ge=-1, le=10),
    ] = -1

    deadletter_window: Annotated[
        int,
        _meaning("Dead letters are counted over this many input records; 0: no limit.", ge=0, le=100_000_000),
    ] = 10_000
    deadletter_count_max: Annotated[
        int,
        _meaning("The worker stops when more than this many of the window were rejected ...", ge=0),
    ] = 1_000
    deadletter_share_max: Annotated[
        float, _meaning("... and they are more than this share of the window so far.", ge=0, le=1)
    ] = 0.5

    http_host: Annotated[
        str, _meaning("Address of /healthz, /readyz, /metrics. There is no login: keep it inside.")
    ] = "127.0.0.1"
    http_port: Annotated[int, _meaning("Their port; 0: any free one, told in the log.", ge=0, le=65_535)] = (
        6066
    )
    log_format: Annotated[
        Literal["auto", "json", "console"], _meaning("`auto`: console on a terminal, else JSON.")
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _meaning("The least that is logged.")
    ] = "info"
    log_key: Annotated[
        str,
        _meaning(
            "Customer ids are logged as a hash under this key, so that lines of several workers can be "
            "joined; empty: a new one per process. Secret."
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"Settings({self.brokers}, {self.app_id})"  # no secret in a traceback


SECRETS = frozenset({"sasl_password", "log_key"})
"""Never shown; may also be given as a file: STREAM_SASL_PASSWORD_FILE."""

FILES = ("ssl_ca_file", "ssl_cert_file", "ssl_key_file", "policy", "model")
