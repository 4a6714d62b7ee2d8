"""Who may import whom: the floors of each package's rooms, from the top down, and what each package may use.

A room imports from the floors below it, never from its own floor or from above.
"""

from collections.abc import Mapping

CORE_FLOORS = [
    {"trial", "shadow"},
    {"step", "view"},
    {"alerts"},
    {"judgement"},
    {"risk"},
    {"value"},
    {"model"},
    {"facts"},
    {"text"},
    {"events", "policy"},
    {"calendar"},
    {"units", "currency"},
]
ENGINE_FLOORS = [
    {"run"},
    {"app"},
    {"output"},
    {"input"},
    {"start"},
    {"task"},
    {"state"},
    {"faust_settings", "watch"},
    {"codec", "client_internals", "client_log", "failure", "headers", "options", "partition_id", "units"},
]
FIT_FLOORS = [
    {"refit"},
    {"model_fit", "drift"},
    {"value"},
    {"risk"},
    {"history"},
    {"purchases", "cases", "coverage", "absurd_money", "order_names", "upgrade_moments"},
    {"arrays"},
]
ANALYSIS_FLOORS = [{"backtest", "business", "uplift", "fit_drift"}, {"fit_recording", "statistics"}]
DELIVER_FLOORS = [
    *({"deliverer"}, {"watching", "reporting"}, {"courier", "topic"}, {"decide", "gates"}, {"queue", "send"}),
    *({"endpoints", "sample"}, {"plan", "adapters"}, {"stake"}),
]
IMPORTING_FLOORS = [{"files", "generated", "datasets"}, {"event_order", "event_writer"}]
IMPORTING_FILES_FLOORS = [
    {"run", "suggest"},
    {"cautions", "importer"},
    {"output", "summary", "doubts"},
    {"events"},
    {"reading", "values"},
    {"mapping", "external_sort", "file_names"},
    {"zones", "currency_marks"},
]
PAGE_FLOORS = [
    {"dashboard"},
    {"web"},
    {"live"},
    {"sources", "screens"},
    {"store"},
    {"stored_profiles"},
    {"entries", "published", "remarks"},
    {"cells", "closed", "masks", "faults"},
]

FLOORS = [
    ("core", CORE_FLOORS),
    ("engine", ENGINE_FLOORS),
    ("fit", FIT_FLOORS),
    ("analysis", ANALYSIS_FLOORS),
    ("deliver", DELIVER_FLOORS),
    ("importing", IMPORTING_FLOORS),
    ("importing/files", IMPORTING_FILES_FLOORS),
    ("page", PAGE_FLOORS),
]
"""Package (or folder of one) and its floors."""

PURE = {"core", "wire", "policy_file", "model_file", "time_zones", "toml_text"}
PACKAGES: Mapping[str, set[str]] = {
    "__main__": {"commands"},
    "commands": {
        *PURE, "analysis", "config", "contracts", "deliver", "demo", "engine", "fit", "importing", "look",
        "kafka_causes", "metrics", "ops", "page", "panes", "printable", "privacy", "progress", "pseudonyms",
        "recording", "replay", "wording", "worker",
    },
    "page": {
        *PURE, "config", "engine", "kafka_causes", "look", "metrics", "panes", "parent_process",
        "postgres", "printable", "pseudonyms", "recording", "replay", "wording", "worker",
    },
    "demo": {*PURE, "config", "importing", "printable", "recording", "wording", "worker"},
    "ops": {*PURE, "config", "engine", "kafka_causes", "recording", "replay", "worker"},
    "privacy": {
        *PURE, "config", "deliver", "kafka_causes", "look", "ops", "page", "postgres", "printable",
        "pseudonyms", "worker",
    },
    "analysis": {*PURE, "config", "fit", "look", "printable", "recording", "replay", "wording"},
    "worker": {
        *PURE, "config", "engine", "kafka_causes", "kafka_login", "metrics", "parent_process", "printable",
        "pseudonyms",
    },
    "deliver": {*PURE, "config", "kafka_causes", "metrics", "postgres", "printable", "pseudonyms"},
    "replay": {*PURE, "recording"},
    "importing": {*PURE, "config", "kafka_causes", "kafka_login", "printable", "recording"},
    "fit": {*PURE},
    "contracts": {"core", "wire"},
    "recording": {"core", "parent_process", "policy_file", "wire"},
    "wording": {"core"},
    "wire": {"core"},
    "policy_file": {"core", "time_zones", "toml_text"},
    "time_zones": {"core"},
    "toml_text": set(),
    "model_file": {"core"},
    "core": set(),
    "engine": set(),
    "look": {"printable"},
    "panes": {"core", "look", "policy_file", "time_zones", "wording"},
    "config": {"pseudonyms"}, "metrics": set(),
    "pseudonyms": set(),
    "kafka_causes": {"kafka_login"},
    "kafka_login": {"config", "printable"},
    "parent_process": set(),
    "postgres": set(),
    "printable": set(),
    "progress": set(),
    "data": set(),
}  # fmt: skip
"""Package -> the packages it may import. The engine knows nothing of customers; nothing imports a command."""

SHELLS = {"worker", "replay", "importing", "fit", "contracts", "deliver"}
"""Each is the core's way to one outer world. Put together by: ops, analysis, demo, page, commands."""
