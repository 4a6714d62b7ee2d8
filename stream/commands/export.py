"""`stream export CUSTOMER`: parsing and printing only."""

from __future__ import annotations

from pathlib import Path

import click

from stream.commands.erase import QUEUE, STORE, check_customer, local_stores
from stream.commands.explain import as_text
from stream.commands.output_files import FileCommand, refuse_same_files
from stream.commands.parameters import EXISTING, OUTPUT, basis_of_worker
from stream.commands.shown import echo
from stream.ops.cluster import cluster_errors, cluster_settings
from stream.printable import printable
from stream.progress import progress
from stream.recording.output_file import is_stdout, output_file
from stream.wording.wrap import for_terminal


@click.command("export", cls=FileCommand)
@click.argument("customer")
@STORE
@QUEUE
@click.option("--everywhere", is_flag=True, help="Read all partitions, also where the customer cannot be.")
@click.option("--policy", "policy_path", type=EXISTING, help="Policy file (TOML). [default: STREAM_POLICY]")
@click.option("--out", type=OUTPUT, help="Write the JSON to a file; - is standard output.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: words, topics, stores.")
def export_command(
    *,
    customer: str,
    store: str | None,
    queue: str | None,
    everywhere: bool,
    policy_path: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Give out all that is known of a CUSTOMER: in words, and as JSON every record and row.

    Reads the topics, the read store of the dashboard and the queue of `stream deliver`. Exit code 1 when
    nothing is known, or a store could not be read.

    \b
    Examples:
      stream export c-42
      stream export c-42 --out c-42.json
    """
    refuse_stores_as_output(out, store, queue)
    settings = cluster_settings()
    from stream.ops.customer import snapshot_from_topics
    from stream.privacy.known import count_lines, json_text, known_of

    check_customer(customer)
    basis, stores = basis_of_worker(policy_path, None), local_stores(settings, store, queue, ())
    with cluster_errors(), progress("looking for the customer"):
        known, problems = known_of(settings, customer, stores, everywhere=everywhere)
        try:
            seen = snapshot_from_topics(customer, basis, None, files=(policy_path, None))
            known["words"] = as_text(customer, seen).splitlines()
        except ValueError as error:
            known["words"], problems = [], [*problems, str(error)]
    empty = not any(known["topics"].values()) and not any(known["stores"].values())
    if out is not None:
        with output_file(out) as file:
            file.write(json_text(known, indent=1).encode() + b"\n")
    if as_json:
        echo(json_text(known))
    elif empty:
        echo(f"nothing is known of {printable(customer)!r}", err=True)
    elif not is_stdout(out):
        where = [f"  {line}" for line in count_lines(known)]
        echo(for_terminal("\n".join([*known["words"], "", "Where", *where])))
    for problem in problems:
        echo(printable(problem), err=True)
    raise SystemExit(int(empty or bool(problems)))


def refuse_stores_as_output(out: Path | None, store: str | None, queue: str | None) -> None:
    """One line and exit code 2 where the output is a store that is read."""
    given = (("--store", store), ("--queue", queue))
    files = [(option, Path(text)) for option, text in given if text and "://" not in text]
    refuse_same_files(files, [] if out is None else [("--out", out)])
