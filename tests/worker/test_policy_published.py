"""A published policy is in force from an instant of event time on, or judges beside the one in force."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from stream.core.events.event import Event, PolicyPublished
from stream.core.judgement.basis import Basis
from stream.engine.output.flush import ALL
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy
from stream.policy_file.published import encode_policy
from stream.replay.run import replay
from stream.wire import encode_alert
from stream.worker.rows.row import OWN_ROWS, StoredRow
from tests.support.builders import basis, erased, when
from tests.support.lasting_kafka import LastingKafka
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, Pipe, by_topic
from tests.support.published_policies import BOLD_TEXT, a_year, bold, of_policy, published, replayed, switched


def fed(pipe: Pipe, life: list[Event], skipped: dict[str, int] | None = None) -> Pipe:
    for topic, events in by_topic(life).items():
        pipe.arrive(topic, events[(skipped or {}).get(topic, 0) :])
    pipe.live()
    return pipe


def shadow_alerts(pipe: Pipe) -> list[bytes]:
    return [not_none(out.value) for out in pipe.lane.outgoing if out.topic == NAMES.shadow]


def restarted(pipe: Pipe, seen: list[Event], configured: Basis | None = None) -> tuple[Pipe, dict[str, int]]:
    """Another worker after everything was committed."""
    skipped = {topic: len(events) for topic, events in by_topic(seen).items()}
    after = Pipe(guarded=False, start=skipped, judged_by=configured)
    after.lane.table.apply_changelog([(*row, None) for row in pipe.lane.table.take_all()])
    after.lane.table.index()
    return after, skipped


def hashes(alerts: list[bytes], since: str) -> set[str]:
    read = [msgspec.json.decode(body) for body in alerts]
    return {alert["data"]["policy"]["hash"] for alert in read if alert["time"] > since}


def test_an_active_policy_is_in_force_from_its_instant_on():
    life = a_year(published(240, "active", bold()))
    run, alerts = replayed(life)
    pipe = fed(Pipe(guarded=False), life)

    assert set(pipe.alerts()) == alerts
    assert of_policy(alerts, bold())
    assert of_policy(alerts, default_policy())
    assert not_none(not_none(pipe.lane.get(b"b")).profile).judgement == run.profiles["b"].judgement


def test_a_shadow_changes_nothing_that_is_sent_and_alerts_as_a_replay_that_switches_then():
    life = a_year(published(240, "shadow", bold()))
    pipe = fed(Pipe(guarded=False), life)

    assert set(pipe.alerts()) == replayed(a_year())[1]
    assert set(shadow_alerts(pipe)) == of_policy(replayed(switched(life))[1], bold())
    assert shadow_alerts(pipe)


def test_what_is_off_judges_no_more_and_leaves_the_rows():
    life = a_year(published(240, "shadow", bold()), published(300, "off", bold()))
    until = [event for event in switched(life) if event.time < when(300)]
    pipe = fed(Pipe(guarded=False), life)

    assert set(pipe.alerts()) == replayed(a_year())[1]
    run, alerts = replay(until, basis(), until_ms=round(when(300).timestamp() * 1_000))
    assert set(shadow_alerts(pipe)) == of_policy({encode_alert(alert) for alert in alerts}, bold())
    rows = {key: row or b"" for key, row in pipe.lane.table.take_all() if not key.startswith(OWN_ROWS)}
    assert [key for key, row in rows.items() if b'"shadow"' in row] == []
    assert run.refused == []


@pytest.mark.parametrize("mode", ["active", "off"])
def test_promotion_and_rolling_back_are_those_of_a_replay_that_switches_at_these_instants(mode):
    """Rolled back to the settings' policy by `off`, or by publishing it anew."""
    back = published(350, mode, bold() if mode == "off" else default_policy())
    life = a_year(published(200, "shadow", bold()), published(240, "active", bold()), back)
    pipe = fed(Pipe(guarded=False), life)

    run, alerts = replayed(life)
    assert set(pipe.alerts()) == alerts
    since = "2024-12-17"
    assert hashes(sorted(alerts), since) == {default_policy().hash}
    assert not any(msgspec.json.decode(body)["time"] > "2024-08-29" for body in shadow_alerts(pipe))
    assert run.basis.policy.hash == default_policy().hash


@pytest.mark.parametrize("until", [230, 245, 345])
def test_after_a_committed_restart_policy_and_shadow_go_on(until):
    other = parse_policy(BOLD_TEXT.replace("0.35", "0.5").replace("version = 2", "version = 3"))
    life = a_year(
        published(220, "active", other), published(240, "shadow", bold()), published(340, "off", other)
    )
    early = [event for event in life if event.time < when(until)]
    first = fed(Pipe(guarded=False), early)
    second, skipped = restarted(first, early)
    fed(second, life, skipped)

    assert set(first.alerts()) | set(second.alerts()) == replayed(life)[1]
    found = set(shadow_alerts(first)) | set(shadow_alerts(second))
    instead = [event for event in life if event.time != when(340)]
    switched_life = [
        published(240, "active", bold()) if isinstance(e, PolicyPublished) and e.time == when(240) else e
        for e in instead
    ]
    assert found == of_policy(replayed(switched_life)[1], bold())


def changed(content: bytes, **fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(content), **fields})


@pytest.mark.parametrize(
    ("mode", "content", "reason"),
    [
        ("active", changed(encode_policy(bold()), version=9), "it was edited"),
        ("active", b'{"id": 7}', "not a policy"),
        ("off", b"{}", "not a policy"),
        ("active", encode_policy(parse_policy('[business]\nzone = "Asia/Tokyo"')), "cut over"),
        ("shadow", encode_policy(parse_policy("[lexicon]\nmeh = -1.0")), "themes or lexicon"),
    ],
)  # fmt: skip
def test_what_cannot_judge_is_a_dead_letter_and_nothing_changes(mode, content, reason):
    life = a_year(published(240, mode, bold(), content))
    pipe = fed(Pipe(guarded=False), life)

    (letter,) = [out for out in pipe.lane.outgoing if out.topic == NAMES.deadletter]
    assert reason in str(letter.headers)
    assert set(pipe.alerts()) == replayed(a_year())[1]
    assert shadow_alerts(pipe) == []
    assert len(replayed(life)[0].refused) == 1


def test_a_later_policy_of_the_settings_replaces_the_published_one_and_an_earlier_does_not():
    life = a_year(published(200, "active", bold()))
    early = [event for event in life if event.time < when(250)]
    first = fed(Pipe(guarded=False), early)
    for version, wins in ((1, False), (3, True)):
        own = parse_policy(f'id = "own"\nversion = {version}')
        second, skipped = restarted(first, early, Basis(own, default_model()))
        fed(second, life, skipped)
        assert hashes(second.alerts(), "2024-10") == {own.hash if wins else bold().hash}
        first = fed(Pipe(guarded=False), early)


def test_a_policy_that_reads_feedback_otherwise_ends_the_shadow():
    other = parse_policy("version = 5\n[lexicon]\nmeh = -1.0")
    life = a_year(published(200, "shadow", bold()), published(260, "active", other))
    pipe = fed(Pipe(guarded=False), life)

    assert set(pipe.alerts()) == replayed(life)[1]
    times = {msgspec.json.decode(body)["time"] for body in shadow_alerts(pipe)}
    assert times
    assert max(times) < "2024-09-18"


def test_of_an_erased_customer_no_shadow_is_left_and_what_it_had_open_is_retracted():
    life = [event for event in a_year(published(100, "shadow", bold())) if event.time < when(331)]
    pipe = fed(Pipe(guarded=False, erasure_key="a-key-for-tests-only"), life)
    rows = {
        key: msgspec.json.decode(row, type=StoredRow)
        for key, row in pipe.lane.table.take_all()
        if row is not None
    }

    own = [msgspec.json.decode(body) for body in shadow_alerts(pipe)]
    states = [alert["data"]["state"] for alert in own if alert["subject"] == "a"]
    assert states[0] == "raised"
    assert len([state for state in states if state == "raised"]) == len(
        [state for state in states if state in ("cleared", "expired", "retracted")]
    )
    shadow = not_none(rows[b"a"].shadow if b"a" in rows else None)
    assert (shadow.judgement.contacts, shadow.judgement.risk) == ([], 0.0)
    assert not any(key.startswith(OWN_ROWS) and b"erased" in key for key in rows)


@pytest.mark.parametrize("erasure_key", ["", "a-key-for-tests-only"])
def test_a_shadow_alert_that_is_open_at_the_erasure_is_retracted_at_that_instant(erasure_key):
    life = [event for event in a_year(published(100, "shadow", bold())) if event.id != "gone"]
    kept = [msgspec.json.decode(body) for body in shadow_alerts(fed(Pipe(guarded=False), life))]
    opened = next(alert for alert in kept if alert["subject"] == "a")
    gone_at = datetime.fromisoformat(opened["time"]) + timedelta(minutes=1)
    gone = msgspec.structs.replace(erased(0, event_id="gone"), subject="a", time=gone_at)
    until = [event for event in life if event.time < gone_at + timedelta(days=3)]

    pipe = fed(Pipe(guarded=False, erasure_key=erasure_key), [*until, gone])

    own = [alert for alert in map(msgspec.json.decode, shadow_alerts(pipe)) if alert["subject"] == "a"]
    assert [alert["data"]["state"] for alert in own] == ["raised", "retracted"]
    assert datetime.fromisoformat(own[-1]["time"]) == gone_at
    assert own[0] == opened


def test_a_shadow_alert_that_was_flushed_leaves_the_row_and_is_not_sent_twice():
    """At every flush with shadow alerts the worker dies: once after the rows, before the alerts."""
    kafka = LastingKafka(a_year(published(100, "shadow", bold())), views="off")
    worker, sent, deaths = kafka.worker(), [], 0
    for count in range(1, len(kafka.story) + 1, 4):
        kafka.read(worker, count)
        if unsent := shadow_alerts(worker):
            kafka.write(worker.lane.take_batch(ALL).rows)
            worker, deaths = kafka.worker(), deaths + 1
            kafka.read(worker, count)
            assert sorted(shadow_alerts(worker)) == sorted(unsent)
        sent += shadow_alerts(worker)
        kafka.flush(worker)
        rows = [msgspec.json.decode(row, type=StoredRow) for row in kafka.rows.values()]
        kept = {bytes(body) for row in rows for body in row.shadow_outbox if row.outbox_flush == 0}
        assert kept == set()
        worker = kafka.worker()
        worker.live()
        assert shadow_alerts(worker) == []

    assert deaths > 3
    assert len(sent) == len(set(sent))
