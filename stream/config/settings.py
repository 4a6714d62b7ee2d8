"""Every setting with its meaning, bounds and default. To add a setting, add a field to `Settings`.

Those of brokers and topics are in kafka_settings.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from stream.config.kafka_settings import KafkaSettings, meaning, topic_name


class Settings(KafkaSettings, frozen=True, kw_only=True):
    """The settings of a process. `flush_interval_ms` is read from the variable STREAM_FLUSH_INTERVAL_MS."""

    app_id: Annotated[str, topic_name("Consumer group; also the prefix of transactional ids.")] = (
        "customer-stream"
    )
    instance_id: Annotated[
        str,
        meaning(
            "Id of this worker in the group (static membership, KIP-345): a restart within "
            "STREAM_SESSION_TIMEOUT_S causes no rebalance; empty: no static membership.",
            "at most 200 letters, digits, `.`, `_`, `-`",
            pattern=r"^[a-zA-Z0-9._-]{0,200}$",
        ),
    ] = ""
    guarantee: Annotated[
        Literal["at_least_once", "exactly_once"],
        meaning(
            "Neither loses events or alerts. `at_least_once`: after a crash an alert may be sent a second "
            "time, with the same id. `exactly_once`: rows, alerts and offsets are one Kafka transaction."
        ),
    ] = "at_least_once"
    store: Annotated[
        Literal["memory", "rocksdb"],
        meaning("Where profiles are kept between events; both are rebuilt from the profiles topic."),
    ] = "memory"
    data_dir: Annotated[str, meaning("Folder of the rocksdb store; one per worker.")] = ".stream"
    hot_rows: Annotated[
        int,
        meaning(
            "Profiles kept as decoded objects, about 10 kB each, over all partitions of a worker. The others "
            "are kept encoded, 2 to 3 kB each, in memory or on disk; decoding one takes 10 to 20 us.",
            ge=100,
            le=100_000_000,
        ),
    ] = 100_000
    flush_interval_ms: Annotated[
        int,
        meaning(
            "About the longest time until a changed profile is written and the offsets of its events are "
            "committed. Under low load both are done at once. A worker that keeps up with its input sends "
            "alerts without waiting for it.",
            ge=10,
            le=60_000,
        ),
    ] = 5_000
    max_idle_ms: Annotated[
        int,
        meaning(
            "How long the merge by event time waits for a topic that has more records while Kafka delivers "
            "none. Then it goes on without the topic and counts that (`merge_given_up_total`).",
            ge=0,
            le=100_000,
        ),
    ] = 60_000
    merge_wait_ms: Annotated[
        int,
        meaning(
            "How long a record waits for topics that were read to their end, so that events sent to a "
            "running worker are applied in order of event time. In a history: how long a topic may pause "
            "while the others wait for it. Alerts are later by as much. 0: topics are not waited for.",
            ge=0,
            le=60_000,
        ),
    ] = 0
    history_quiet_s: Annotated[
        int,
        meaning(
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
        meaning(
            "How long Kafka waits for a worker that sends no heartbeats before it gives the worker's "
            "partitions to others.",
            ge=6,
            le=1_800,
        ),
    ] = 30
    stall_after_s: Annotated[
        int,
        meaning(
            "How far other topics may be ahead of purchases in event time. Beyond that, purchases count as "
            "stalled: later records wait, and customers are not judged inactive for missing purchases.",
            ge=1,
            le=31_536_000,
        ),
    ] = 21_600
    clock: Annotated[
        Literal["wall", "event"],
        meaning(
            "`wall`: time follows the wall clock while events are live; in a history it follows the events. "
            "`event`: it always follows the events (demo, tests)."
        ),
    ] = "wall"

    batch_bytes_max: Annotated[
        int,
        meaning(
            "The most bytes that one batch of records may hold when it is decompressed; a larger one becomes "
            "one dead letter. The default is 32 times what our topics take of a compressed batch (2 MiB); "
            "JSON shrinks to a tenth or so. At worst each partition needs as much memory while it is read.",
            ge=2_097_152,
            le=1_073_741_824,
        ),
    ] = 67_108_864

    profiles_view: Annotated[
        Literal["on", "off", "anew"],
        meaning(
            "`on`: workers also write each profile in a form that other programs can read, to a compacted "
            "topic, whenever what it says has changed. `anew`: the same, and at the start all of them once "
            "more, for a topic that was made again. Set it alike for workers and `stream topics`."
        ),
    ] = "off"

    policy: Annotated[str, meaning("Policy file, TOML; empty: the built-in policy.", "a readable file")] = ""
    model: Annotated[
        str,
        meaning(
            "Model file to start with; empty: the built-in model. A published model replaces it. At a start "
            "STREAM_MODEL replaces the published model if it was changed since the publication and its model "
            "was fitted later.",
            "a readable file",
        ),
    ] = ""

    deadletter_window: Annotated[
        int,
        meaning(
            "Dead letters are counted over this many of the latest input records; 0: no limit.",
            ge=0,
            le=100_000_000,
        ),
    ] = 10_000
    deadletter_count_max: Annotated[
        int,
        meaning("The worker stops when more than this many records of the window were rejected ...", ge=0),
    ] = 1_000
    deadletter_share_max: Annotated[
        float, meaning("... and they are more than this share of the records counted so far.", ge=0, le=1)
    ] = 0.5

    erasure_key: Annotated[
        str,
        meaning(
            "Key of the pseudonyms (HMAC) by which erased customers are barred for ever: no older event "
            "makes them again, and no store keeps their ids. The same for worker, dashboard, "
            "`stream deliver` and `stream erase`; keep it as long as the topics. Several, separated by "
            "spaces: the first is used, the others are still known. Empty: ids are kept for 7 days after an "
            "erasure, and then nothing bars them. Secret.",
            "at least 16 characters each",
        ),
    ] = ""

    deliver_endpoints: Annotated[
        str, meaning("Endpoints file of `stream deliver`, TOML.", "a readable file")
    ] = ""
    deliver_queue: Annotated[
        str,
        meaning(
            "Queue of `stream deliver`: a SQLite file on a local disk, or postgresql://user@host/database. "
            "It holds what was not delivered yet; back it up, and do not delete it."
        ),
    ] = "deliver.db"
    deliver_http_port: Annotated[
        int,
        meaning(
            "Port of the same of `stream deliver run`; 0: any free port.",
            ge=0,
            le=65_535,
        ),
    ] = 6067

    http_host: Annotated[
        str,
        meaning(
            "Address of /healthz, /readyz and /metrics. There is no login: do not expose it.",
            "an IP address or a host name",
        ),
    ] = "127.0.0.1"
    http_port: Annotated[
        int, meaning("Port of the same; 0: any free port, which is logged.", ge=0, le=65_535)
    ] = 6066
    dashboard_port: Annotated[
        int,
        meaning("Port of `stream dashboard`; 0: any free port.", ge=0, le=65_535),
    ] = 8080
    dashboard_names: Annotated[
        str,
        meaning(
            "Host names under which a reverse proxy, which must ask for a login, leads to the dashboard; "
            "it answers to no other name but localhost.",
            "host names, separated by commas",
        ),
    ] = ""
    dashboard_host: Annotated[
        str,
        meaning(
            "Address that the dashboard serves on. Another than loopback only in a container, or where "
            "nobody but the reverse proxy reaches it: there is no login.",
            "an IP address or a host name",
        ),
    ] = "127.0.0.1"
    dashboard_store: Annotated[
        str,
        meaning(
            "Read store of the dashboard where `--store` names none: a SQLite file on a local disk, or "
            "postgresql://user@host/database; empty: a temporary file. It is a copy, and may be deleted."
        ),
    ] = ""
    dashboard_mask_key: Annotated[
        str,
        meaning(
            "Key of the masks that the dashboard and `stream digest` show in place of customer ids; with the "
            "same key a customer always has the same mask. Empty: ids are shown. Secret.",
            "at least 16 letters",
            pattern=r"^(?s:.{16,})?$",
        ),
    ] = ""
    dashboard_user: Annotated[
        str, meaning("Who acts on alerts on the dashboard, where no header of a reverse proxy names them.")
    ] = "dashboard"
    dashboard_user_header: Annotated[
        str,
        meaning(
            "Header in which the reverse proxy names the user, for example X-Forwarded-User; empty: none is "
            "believed. The proxy must remove what browsers send under this name.",
            "at most 100 letters, digits, `-`",
            pattern=r"^[A-Za-z0-9-]{0,100}$",
        ),
    ] = ""
    log_format: Annotated[
        Literal["auto", "json", "console"], meaning("`auto`: console on a terminal, otherwise JSON.")
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], meaning("Lowest level that is logged.")
    ] = "info"
    log_key: Annotated[
        str,
        meaning(
            "Key of the hashes that replace customer ids in log lines. With one key for all workers their "
            "lines about a customer can be joined; empty: a random key per process. Secret."
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"Settings({self.brokers}, {self.app_id})"  # no secret in a traceback


SECRETS = frozenset({"sasl_password", "log_key", "dashboard_mask_key"})
"""Never shown. Each may also be in a file that a variable names, for example STREAM_SASL_PASSWORD_FILE."""
SECRETS |= {"erasure_key", "oauth_client_secret"}

FILES = ("ssl_ca_file", "ssl_cert_file", "ssl_key_file", "oauth_ca_file", "policy", "model")
"""Settings that name a file; it must be readable at the start."""
