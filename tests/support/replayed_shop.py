"""A generated shop with feedback and visits, replayed, as the files that `stream replay` writes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.replay.run import replay
from stream.wire import encode_alert
from tests.support.builders import basis


def write_replayed_shop(folder: Path, customers: int = 160, days: int = 400) -> tuple[Path, Path]:
    """Returns the file of profiles and that of alerts."""
    events = list(generated_events(Shop(customers=customers, days=days), Disorder(), None))
    run, alerts = replay(events, basis())
    return write_files(folder, list(run.profiles.values()), alerts)


def write_files(folder: Path, profiles: list[Profile], alerts: list[Alert]) -> tuple[Path, Path]:
    """The two files in this folder."""
    kept, sent = folder / "profiles.jsonl", folder / "alerts.jsonl"
    kept.write_bytes(b"".join(msgspec.json.encode(profile) + b"\n" for profile in profiles))
    sent.write_bytes(b"".join(encode_alert(alert) + b"\n" for alert in alerts))
    return kept, sent
