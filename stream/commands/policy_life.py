"""`stream policy publish`, `shadow`, `promote` and `rollback`: the policy of running workers."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import NoReturn

import click

from stream.commands.parameters import EXISTING, basis_of_worker, chosen_policy
from stream.commands.policy_difference import difference_lines, kinds_as_json
from stream.commands.shown import echo
from stream.config.settings import Settings
from stream.core.alerts.alert import rfc3339
from stream.core.calendar import Calendar
from stream.core.model.document import ModelError
from stream.core.policy.policy import Policy
from stream.core.trial import tried_basis
from stream.ops.cluster import cluster_errors, cluster_settings
from stream.ops.policies import PolicyHistory, policy_history, raised_since
from stream.ops.publish import NotPublishedError, publish_policy
from stream.policy_file.published import Mode, PublishedPolicyError, check_fits
from stream.replay.policy_diff import alert_differences
from stream.wording.policy import in_force_line, policy_name, shadow_line
from stream.wording.wrap import for_terminal

FAILED = 1
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@click.argument("file", type=EXISTING)
@click.option(
    "--mode",
    type=click.Choice(["shadow", "active", "off"]),
    default="shadow",
    show_default=True,
    help="shadow: judge beside the policy in force, and alert nobody. active: be in force. off: neither.",
)
@as_json_option
def publish(file: Path, mode: Mode, *, as_json: bool) -> None:
    """Send the policy of a FILE to running workers, which judge every customer by it without a restart.

    As a shadow it changes nothing that is sent: `stream policy shadow` says whom it would alert about. A
    policy that is `off` judges no more; if it was in force, that of STREAM_POLICY is again. Exit code 1 when
    workers would refuse it.

    \b
    Examples:
      STREAM_BROKERS=kafka:9092 stream policy publish policy.toml
      STREAM_BROKERS=kafka:9092 stream policy publish policy.toml --mode active
    """
    policy = chosen_policy(file)
    settings, history = _known()
    if mode != "off":
        _check(policy, mode, history)
    elif policy.hash not in [each.hash for each in history.in_force if each is not None]:
        _refuse(f"{policy.id} ({policy.hash}) is neither in force nor a shadow")
    _publish(settings, mode, policy, as_json=as_json)


@click.command()
@as_json_option
def promote(*, as_json: bool) -> None:
    """Put the shadow policy in force, from now on; its shadow ends.

    Open alerts go on, and are judged by it like those of any policy. Exit code 1 when there is no shadow.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream policy promote
    """
    settings, history = _known()
    policy = history.in_force.shadow
    if policy is None:
        _refuse("there is no shadow policy; publish one: stream policy publish FILE")
    _check(policy, "active", history)
    _publish(settings, "active", policy, as_json=as_json)


@click.command()
@as_json_option
def rollback(*, as_json: bool) -> None:
    """Put the policy in force that was before the present one.

    Where none had been published before, that is the policy of STREAM_POLICY. Exit code 1 when it is in
    force already.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream policy rollback
    """
    settings, history = _known()
    present, before = history.in_force.active, history.before_active
    if present is None and before is None:
        _refuse("no published policy was in force before the present one: there is nothing to roll back to")
    if before is not None:
        _check(before, "active", history)
        _publish(settings, "active", before, as_json=as_json)
    elif present is not None:
        _publish(settings, "off", present, as_json=as_json)


@click.command()
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many customers to list per kind of alert and policy.",
)
@as_json_option
def shadow(*, limit: int, as_json: bool) -> None:
    """List the customers about whom, since the shadow began, only it or only the policy in force alerts.

    Exit code 1 when there is no shadow policy.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream policy shadow
    """
    settings, history = _known()
    policy = history.in_force.shadow
    if policy is None:
        _refuse("there is no shadow policy; publish one: stream policy publish FILE")
    since_ms = history.shadow_since_ms
    with cluster_errors():
        raised = raised_since(settings, policy, since_ms)
    found = alert_differences(raised.active, raised.shadow)
    if as_json:
        sides = {"active": _named(history.active), "shadow": _named(policy)}
        since = rfc3339(since_ms)
        echo(json.dumps({**sides, "shadow_since": since, "kinds": kinds_as_json(found)}))
        return
    counts: Counter[str] = Counter(alert.data.kind for alert in raised.shadow)
    lines = [
        in_force_line(history.active, history.active_since_ms),
        shadow_line(policy, since_ms, counts),
        *difference_lines(found, _sides(history.active, policy), limit),
    ]
    echo(for_terminal("\n".join(lines)))


def _sides(active: Policy, beside: Policy) -> list[tuple[str, Calendar]]:
    return [("the policy in force", active.calendar), ("the shadow", beside.calendar)]


def _known() -> tuple[Settings, PolicyHistory]:
    settings = cluster_settings()
    with cluster_errors():
        return settings, policy_history(settings, chosen_policy(None, of_worker=True))


def _check(policy: Policy, mode: Mode, history: PolicyHistory) -> None:
    """Exit with 1 when workers with the settings of this command would refuse it."""
    try:
        check_fits(policy, mode, history.active)
        tried_basis(policy, basis_of_worker(None, None).model)
    except (PublishedPolicyError, ModelError) as problem:
        _refuse(f"not published, as workers would refuse it: {problem}")


def _publish(settings: Settings, mode: Mode, policy: Policy, *, as_json: bool) -> None:
    try:
        with cluster_errors():
            partitions = publish_policy(settings, mode, policy, time.time_ns() // 1_000_000)
    except NotPublishedError as problem:
        _refuse(str(problem))
    if as_json:
        echo(json.dumps({**_named(policy), "mode": mode, "partitions": partitions}))
        return
    what = {"active": "in force", "shadow": "a shadow", "off": "off"}[mode]
    echo(f"policy {policy_name(policy)} is {what} on {partitions} partitions")


def _refuse(problem: str) -> NoReturn:
    echo(f"stream policy: {problem}", err=True)
    raise SystemExit(FAILED)


def _named(policy: Policy) -> dict[str, object]:
    return {"id": policy.id, "version": policy.version, "hash": policy.hash}
