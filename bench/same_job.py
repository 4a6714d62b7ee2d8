"""The same job in other engines: our core inside them, what they wrote checked against a replay.

First every peer does the whole backlog, round by round, as in `compare`. Then each is checked on a smaller
one: it is killed (SIGKILL) when it has committed `KILL_AT` of it, started again, and stopped at the end. Its
newest rows and its alerts must then be those of `stream replay`, once the silence up to the last event is
judged; alerts are compared by id, and those sent twice are counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click
import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.backlog import topic
from bench.compare import Standing, compare
from bench.peers.full_job import basis, decode_row, encode_row, silence_until
from bench.roster import Peer, PeerError
from bench.stage import Stage, say
from bench.watch import Group, RunError
from bench.workload import Workload, messages
from stream.core.facts.profile import Profile
from stream.replay.run import replay
from stream.wire import decode_line, encode_alert
from stream.worker.rows.row import OWN_ROWS
from stream.worker.rows.stored import read_row

KILL_AT = 0.3
"""The share of the backlog that is committed when a peer is killed."""
CHECK = Workload(events=40_000, customers=2_000)
EPOCH = {"BENCH_EPOCH_S": "0.5"}
"""In the check, so that there is something to recover from."""
LIMIT_S = 240.0


class Check(msgspec.Struct):
    """What a peer had written, beside what replay writes."""

    profiles: int
    profiles_equal: int
    alerts: int
    alerts_missing: int
    alerts_extra: int
    alerts_repeated: int

    @property
    def right(self) -> bool:
        return self.profiles == self.profiles_equal and not self.alerts_missing + self.alerts_extra


class Expected(msgspec.Struct):
    """What replay makes of the workload of the check."""

    profiles: dict[str, bytes]
    alerts: dict[str, bytes]
    end_ms: int


def expected(workload: Workload) -> Expected:
    events: list[Any] = [decode_line(message.value) for message in messages(workload)]
    run, alerts = replay(events, basis())
    profiles = {customer: encode_row(profile) for customer, profile in run.profiles.items()}
    return Expected(profiles, {alert.id: encode_alert(alert) for alert in alerts}, run.clock_ms)


def check(stage: Stage, peer: Peer, right: Expected) -> Check:
    """One run of a peer with a crash in it; RunError when it does not come to its end."""
    run = stage.prepare(f"check-{peer.name}")
    program = stage.start(peer, run, EPOCH)
    group = Group(stage.bootstrap, run, stage.ends_for(peer))
    try:
        _until(group, program, KILL_AT)
        program.kill()
        program = stage.start(peer, run, EPOCH)
        _until(group, program, 1.0)
        time.sleep(5)  # what is read may not be written yet: not every peer commits after its rows
    finally:
        group.close()
        program.stop()
    rows = dict(_profiles(stage.bootstrap, run))
    return _compared(rows, _records(stage.bootstrap, [topic("alerts")]), right)


def _until(group: Group, program: Any, share: float) -> None:
    until_s = time.monotonic() + LIMIT_S
    while group.committed() < share * group.end:
        if program.exit_code() is not None:
            raise RunError(f"it ended with exit code {program.exit_code()}: {program.tail()}")
        if time.monotonic() > until_s:
            raise RunError(f"only {group.committed()} of {group.end} events in {LIMIT_S:.0f} s")
        time.sleep(0.05)


def _compared(rows: dict[str, Profile], sent: Iterable[tuple[bytes, bytes]], right: Expected) -> Check:
    by, equal = basis(), 0
    alerts: dict[str, bytes] = {}
    repeated = 0
    for _, value in sent:
        name = msgspec.json.decode(value)["id"]
        repeated += name in alerts
        alerts[name] = value
    for customer, profile in rows.items():
        judged, late = silence_until(profile, right.end_ms, by)
        alerts |= {alert.id: encode_alert(alert) for alert in late}
        equal += encode_row(judged) == right.profiles.get(customer)
    wrong = sum(alerts[name] != body for name, body in right.alerts.items() if name in alerts)
    missing = len(right.alerts.keys() - alerts.keys()) + wrong
    extra = len(alerts.keys() - right.alerts.keys())
    return Check(len(right.profiles), equal, len(right.alerts), missing, extra, repeated)


def _profiles(bootstrap: str, run: str) -> Iterator[tuple[str, Profile]]:
    """The newest profiles by customer, from the topic in which the program of a run keeps its rows."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-check"})
    names = list(consumer.list_topics(timeout=30).topics)
    consumer.close()
    own = [name for name in names if name == topic("profiles")]
    others = [name for name in names if run in name and ("changelog" in name or name == f"{run}-rows")]
    for name in (*own, *others):
        newest = dict(_records(bootstrap, [name]))
        for key, value in newest.items():
            if name in own:
                stored = None if key.startswith(OWN_ROWS) else read_row(value).profile
            else:
                stored = decode_row(value)
            if stored is not None:
                yield stored.customer, stored


def _records(bootstrap: str, names: Sequence[str]) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of all records in topics, without tombstones, in the order of each partition."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "bench-check", "enable.auto.commit": False}
    consumer = Consumer({**settings, "enable.partition.eof": True})
    known = consumer.list_topics(timeout=30).topics
    places = [TopicPartition(name, each, 0) for name in names for each in known[name].partitions]
    consumer.assign(places)
    ended = 0
    while ended < len(places):
        for message in consumer.consume(10_000, 1.0):
            if message.error() is not None:
                ended += 1
            elif message.value() is not None:
                yield message.key() or b"", message.value()
    consumer.close()


def checks(stage: Stage, peers: Sequence[Peer], workload: Workload = CHECK) -> dict[str, Check | str]:
    """Every peer's check; a text says why there is none."""
    stage.fill(workload)
    stage.fill_one(workload)
    right, found = expected(workload), dict[str, Check | str]()
    for peer in peers:
        try:
            found[peer.name] = check(stage, peer, right)
        except (PeerError, RunError) as failure:
            found[peer.name] = str(failure)
        say(f"{peer.name}: {found[peer.name]}")
    return found


def measured(stage: Stage, whole: Workload, peers: Sequence[Peer], rounds: int) -> dict[str, Any]:
    """Speed and check of each peer: the table goes to standard output, and `full_job_peers` is returned."""
    stage.fill(whole)
    stage.fill_one(whole)
    standings = compare(stage, peers, rounds)
    checked = checks(stage, peers)
    click.echo(table(standings, checked, peers))
    return {"full_job_peers": result(standings, checked)}


def table(standings: Sequence[Standing], checked: dict[str, Check | str], peers: Sequence[Peer]) -> str:
    """One line per peer: speed, and what it had after a crash."""
    keeps = {peer.name: peer.keeps for peer in peers}
    lines = ["the same job           events/s     /CPU s  after a kill, beside replay"]
    for each in standings:
        rate, share = each.median("events_per_s"), each.median("events_per_cpu_s")
        figures = f"{rate:>10,.0f}{share:>11,.0f}" if rate and share else f"{'null':>10}{'':>11}"
        lines.append(f"{each.name:<21}{figures}  {_words(checked.get(each.name))}; {keeps[each.name]}")
    return "\n".join(lines)


def _words(found: Check | str | None) -> str:
    if not isinstance(found, Check):
        return (found or "not checked").splitlines()[0][:100]
    if found.right:
        twice = f", {found.alerts_repeated} alerts twice" if found.alerts_repeated else ""
        return f"all {found.profiles:,} profiles and {found.alerts:,} alerts equal{twice}"
    return (
        f"{found.profiles_equal:,} of {found.profiles:,} profiles equal, {found.alerts_missing} of "
        f"{found.alerts:,} alerts missing, {found.alerts_extra} that are wrong"
    )


def result(standings: Sequence[Standing], checked: dict[str, Check | str]) -> dict[str, Any]:
    """`full_job_peers` of the result: speed, check and reason of each."""
    return {
        each.name: {
            "events_s": each.median("events_per_s"),
            "per_cpu_s": each.median("events_per_cpu_s"),
            "check": checked.get(each.name),
            "reason": each.reason,
        }
        for each in standings
    }
