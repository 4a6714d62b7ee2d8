"""Ids and instants have their own fast code; the standard library says what they must be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import NAMESPACE, alert_id, rfc3339
from stream.core.events.event import EPOCH, ClockTicked

YEARS_MS = (-2_208_988_800_000, 7_258_118_400_000)  # 1900 to 2200


@given(st.lists(st.one_of(st.text(max_size=20), st.integers()), min_size=1, max_size=5))
def test_an_alerts_id_is_the_name_based_uuid_of_its_cause(cause):
    assert alert_id(*cause) == str(uuid5(NAMESPACE, "|".join(map(str, cause))))


@given(st.integers(*YEARS_MS))
def test_an_instant_is_written_as_the_standard_library_writes_it(at_ms):
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)

    assert rfc3339(at_ms) == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(st.integers(631_152_000_000, 7_258_118_399_999), st.integers(0, 999), st.integers(-14, 14))
def test_an_events_time_is_rounded_to_the_millisecond_whatever_its_zone(at_ms, microseconds, hours):
    at = EPOCH + timedelta(milliseconds=at_ms, microseconds=microseconds)
    event = ClockTicked(id="e", source="s", subject="c", time=at.astimezone(timezone(timedelta(hours=hours))))

    assert event.time_ms == round(at.timestamp() * 1_000)
