"""`stream erase CUSTOMER`: parsing and printing only."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from stream.commands.deliver import queue_of
from stream.commands.shown import echo
from stream.ops.cluster import cluster_errors, cluster_settings
from stream.printable import printable

if TYPE_CHECKING:
    from stream.config.settings import Settings
    from stream.privacy.erasure import LocalStores

WAIT_S = 30.0
FOLDER = click.Path(path_type=Path, file_okay=False)
STORE = click.option(
    "--store",
    help="Read store of the dashboard: file or postgresql:// URL. [default: STREAM_DASHBOARD_STORE]",
)
QUEUE = click.option(
    "--queue", help="Queue of `stream deliver`: file or postgresql:// URL. [default: STREAM_DELIVER_QUEUE]"
)


@click.command("erase")
@click.argument("customer")
@STORE
@QUEUE
@click.option("--published", multiple=True, type=FOLDER, help="Folder of `--publish` (several times).")
@click.option("--dry-run", is_flag=True, help="Send and rewrite nothing; say what there is.")
@click.option(
    "--wait", "wait_s", default=WAIT_S, show_default=True, type=click.FloatRange(0, 3_600),
    help="Seconds to wait for the worker to delete the profile.",
)  # fmt: skip
@click.option(
    "--delete-records-before",
    "before",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Also have Kafka delete ALL customers' records written before this time (UTC) from the customer's "
    "partition of the topics that --delete-from names.",
)
@click.option(
    "--delete-from",
    "roles",
    multiple=True,
    type=click.Choice(["purchases", "engagement", "feedback", "alerts", "shadow", "deliveries"]),
    help="With --delete-records-before: a topic (several times).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def erase_command(
    *,
    customer: str,
    store: str | None,
    queue: str | None,
    published: tuple[Path, ...],
    dry_run: bool,
    wait_s: float,
    before: datetime | None,
    roles: tuple[str, ...],
    as_json: bool,
) -> None:
    """Erase a CUSTOMER from everything that is ours, and say of each store what is left and until when.

    Sends `customer.erased`, waits for the worker, rewrites the stores that can be reached from here, and
    names the offsets that only the owners of the input topics can delete. Run it again at any time: an
    erasure that is in force is not sent twice. Exit code 0 when all is done that can be, 1 when a store
    failed or something must be done first (docs/privacy.md).

    \b
    Examples:
      stream erase c-42 --dry-run
      stream erase c-42 --published reports --json
    """
    if bool(before) != bool(roles):
        raise click.UsageError("--delete-records-before and --delete-from belong together")
    settings = cluster_settings()
    from stream.privacy.delete_records import delete_before
    from stream.privacy.erasure import erase
    from stream.privacy.report import report_lines

    check_customer(customer)
    stores = local_stores(settings, store, queue, published)
    with cluster_errors():
        if before is not None and not dry_run:
            before_ms = int(before.replace(tzinfo=UTC).timestamp() * 1_000)
            for line in delete_before(settings, customer, roles, before_ms):
                echo(line, err=True)
        report = erase(
            settings, customer, stores, time.time_ns() // 1_000_000, dry_run=dry_run, wait_s=wait_s,
        )  # fmt: skip
    if as_json:
        echo(json.dumps({**msgspec.to_builtins(report), "exit_code": report.exit_code}))
    else:
        echo("\n".join(map(printable, report_lines(report))))
    raise SystemExit(report.exit_code)


def check_customer(customer: str) -> None:
    """A usage error when no customer can have this id."""
    if not customer or customer.startswith("\0") or len(customer) > 256:
        raise click.UsageError("a customer id has 1 to 256 characters")
    try:
        customer.encode()
    except UnicodeEncodeError:
        raise click.UsageError("a customer id is UTF-8 text") from None


def local_stores(
    settings: Settings, store: str | None, queue: str | None, published: tuple[Path, ...]
) -> LocalStores:
    """The stores that the options name, or else the settings."""
    from stream.privacy.erasure import LocalStores

    return LocalStores(
        read_store=store or settings.dashboard_store,
        queue=queue or settings.deliver_queue,
        data_dir=Path(settings.data_dir) if settings.store == "rocksdb" else None,
        open_queue=partial(queue_of, create=False),
        published=published,
    )
