"""Measures all peers on the same backlog, round by round, and reports medians over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bench.roster import ROSTER, Peer, PeerError
from bench.stage import Stage, say
from bench.watch import Run, RunError

MEMBERS = ("kafka_streams_rocksdb", "kafka_streams_memory")
"""Kafka Streams is measured with both of its stores; the faster one is compared."""


class Standing(Struct):
    """The runs of one peer; `reason` says why there is none."""

    name: str
    what: str
    runs: list[Run]
    reason: str | None = None

    def median(self, field: str) -> float | None:
        values = [getattr(run, field) for run in self.runs]
        return statistics.median(values) if values else None


def chosen(only: str, roster: Sequence[Peer] = ROSTER) -> list[Peer]:
    """The peers named in `only`, separated by commas; all peers when it is empty."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = set(names) - {peer.name for peer in roster}
    if unknown:
        there = ", ".join(peer.name for peer in roster)
        raise ValueError(f"--only: no such peer: {', '.join(sorted(unknown))}; peers are {there}")
    return [peer for peer in roster if not names or peer.name in names]


def compare(stage: Stage, peers: Sequence[Peer], rounds: int) -> list[Standing]:
    """Every peer once per round, so that a slow minute of the machine affects all; a failure is retried."""
    standings = {peer.name: Standing(peer.name, peer.what, []) for peer in peers}
    for turn in range(rounds):
        for peer in peers:
            standing = standings[peer.name]
            try:
                run = stage.measure(peer)
            except PeerError as failure:
                standing.reason = str(failure)
                continue
            except RunError as failure:
                standing.reason = str(failure)
                say(f"round {turn + 1} {peer.name}: {failure}")
                continue
            standing.runs.append(run)
            say(f"round {turn + 1} {peer.name}: {run.events_per_s:,.0f} events/s")
    for standing in standings.values():
        if standing.runs:
            standing.reason = None
    return list(standings.values())


def rates(standings: Sequence[Standing], field: str = "events_per_s") -> dict[str, float | None]:
    """Median of `field` by peer; `kafka_streams` is the store with the higher rate of events."""
    found = {standing.name: standing.median(field) for standing in standings}
    if any(name in found for name in MEMBERS):
        speeds = {name: rate for name in MEMBERS if (rate := _speed(standings, name)) is not None}
        best = max(speeds, key=lambda name: speeds[name], default=None)
        found["kafka_streams"] = found[best] if best else None
    return {name: None if rate is None else round(rate) for name, rate in found.items()}


def _speed(standings: Sequence[Standing], name: str) -> float | None:
    return next((each.median("events_per_s") for each in standings if each.name == name), None)


def ratios(speed: dict[str, float | None]) -> dict[str, float]:
    """Speed of `ours` relative to each peer, and of our engine's toy fold relative to the floor."""
    ours, toy, floor = speed.get("ours"), speed.get("ours_toy_fold"), speed.get("floor")
    found = {
        f"ours_to_{name}": round(ours / rate, 2)
        for name, rate in speed.items()
        if ours and rate and name not in ("ours", "ours_exactly_once", *MEMBERS)
    }
    if ours and (atomic := speed.get("ours_exactly_once")):
        found["exactly_once_to_at_least_once"] = round(atomic / ours, 2)
    if toy and floor:
        found["ours_toy_fold_to_floor"] = round(toy / floor, 2)
    return found


def table(standings: Sequence[Standing]) -> str:
    """The result as text: one line per peer."""
    lines = ["peer                    events/s    lowest   highest    /CPU s  broker CPU s  RSS MiB"]
    for standing in standings:
        if not standing.runs:
            lines.append(f"{standing.name:<24}{'null':>10}  {standing.reason or 'not run'}"[:200])
            continue
        speeds = [run.events_per_s for run in standing.runs]
        lines.append(
            f"{standing.name:<24}{statistics.median(speeds):>10,.0f}{min(speeds):>10,.0f}{max(speeds):>10,.0f}"
            f"{standing.median('events_per_cpu_s'):>10,.0f}{standing.median('broker_cpu_s'):>14.1f}"
            f"{standing.median('peak_rss_mb'):>9,.0f}"
        )
    return "\n".join(lines)


def result(standings: Sequence[Standing], workload: dict[str, Any]) -> dict[str, Any]:
    """The result as an object: every peer's median, the ratios, and the reason where a peer is null."""
    speed = rates(standings)
    return {
        **speed,
        "ratios": ratios(speed),
        "per_cpu_s": rates(standings, "events_per_cpu_s"),
        "reasons": {each.name: each.reason for each in standings if each.reason},
        "workload": workload,
    }
