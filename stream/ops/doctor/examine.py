"""Every check of `stream doctor`, run on one reading of the cluster."""

from __future__ import annotations

from stream.config.settings import Settings
from stream.ops.doctor import currencies, erasures, group, records, topics
from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView, read_cluster
from stream.worker.kafka.topics_admin import ClusterError

CHECKS = (*topics.CHECKS, *group.CHECKS, *records.CHECKS, *currencies.CHECKS, *erasures.CHECKS)


def examine(settings: Settings) -> list[ClusterFinding]:
    """The findings of all checks; a single fault when no broker answers."""
    try:
        view = read_cluster(settings)
    except ClusterError as error:
        remedy = "is it running, is the address right from here, does a firewall stand between?"
        return [ClusterFinding("broker", "fault", str(error), remedy)]
    return findings(view)


def findings(view: ClusterView) -> list[ClusterFinding]:
    """The findings of all checks on one reading; `skipped` for what there was nothing to look at."""
    return [finding for check in CHECKS for finding in check(view)]
