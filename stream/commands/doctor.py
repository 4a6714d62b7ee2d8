"""`stream doctor`: prints the findings of every check, with a remedy for each fault."""

from __future__ import annotations

import json

import click
import msgspec

from stream.commands.shown import echo
from stream.ops.cluster import cluster_settings
from stream.ops.doctor.examine import CHECKS, examine
from stream.printable import printable
from stream.wording.wrap import for_terminal

SIGNS = {"ok": "ok   ", "note": "note ", "fault": "FAULT", "skipped": "skip "}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option("--faults", is_flag=True, help="Show only faults.")
def doctor_command(as_json: bool, faults: bool) -> None:
    """Check brokers, topics, records and workers; print what is wrong and how to mend it. Changes nothing.

    Records are judged by a sample: the newest of each partition. What there was nothing to look at is `skip`,
    with the reason. Exit code 1 when there is a fault.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream doctor --faults
    """
    found = examine(cluster_settings())
    wrong = [finding for finding in found if finding.level == "fault"]
    if as_json:
        echo(json.dumps({"faults": len(wrong), "findings": msgspec.to_builtins(found)}))
    else:
        for finding in wrong if faults else found:
            echo(
                for_terminal(f"{SIGNS[finding.level]} {finding.check}: {printable(finding.found)}", "      ")
            )
            if finding.remedy:
                echo(for_terminal(f"      -> {printable(finding.remedy)}", "   "))
        skipped = len({finding.check for finding in found if finding.level == "skipped"})
        also = f", {skipped} of them skipped" if skipped else ""
        faults_found = "1 fault" if len(wrong) == 1 else f"{len(wrong)} faults"
        echo(f"{faults_found} in {len(CHECKS)} checks{also}")
    raise SystemExit(1 if wrong else 0)
