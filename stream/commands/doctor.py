"""`stream doctor`: every check, what it found, and what to do about it."""

from __future__ import annotations

import json

import click
import msgspec

from stream.ops import doctor_group, doctor_records, doctor_topics
from stream.ops.cluster import cluster_settings
from stream.ops.cluster_view import Finding, View, look
from stream.worker.kafka.topics_admin import ClusterError

CHECKS = (*doctor_topics.CHECKS, *doctor_group.CHECKS, *doctor_records.CHECKS)
SIGNS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--faults", is_flag=True, help="Show only what is wrong.")
def doctor_command(as_json: bool, faults: bool) -> None:
    """Look at brokers, topics, records and workers; say what is wrong and what to do. Changes nothing.

    Contents are judged by the newest records of each partition. Exit code 1 when there is a fault.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream doctor --faults
    """
    settings = cluster_settings()
    try:
        found = examined(look(settings))
    except ClusterError as error:
        remedy = "is it running, is the address right from here, does a firewall stand between?"
        found = [Finding("broker", "fault", str(error), remedy)]
    wrong = [finding for finding in found if finding.level == "fault"]
    if as_json:
        click.echo(json.dumps({"faults": len(wrong), "findings": msgspec.to_builtins(found)}))
    else:
        for finding in wrong if faults else found:
            click.echo(f"{SIGNS[finding.level]} {finding.check}: {finding.found}")
            if finding.remedy:
                click.echo(f"      -> {finding.remedy}")
        click.echo(f"{len(wrong)} faults in {len(CHECKS)} checks")
    raise SystemExit(1 if wrong else 0)


def examined(view: View) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(view)]
