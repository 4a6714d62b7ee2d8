"""Whether customers who were erased can come back by old events, as they can without a key."""

from __future__ import annotations

from collections.abc import Iterator

from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView
from stream.worker.rows.bars import NOT_BARRED, REMEDY


def check_erasures(view: ClusterView) -> Iterator[ClusterFinding]:
    """By the settings of this command, which should be those of the workers: Kafka does not know the key."""
    if view.settings.erasure_key:
        yield ClusterFinding("erasures", "ok", "erased customers are barred for ever by STREAM_ERASURE_KEY")
    else:
        yield ClusterFinding("erasures", "note", NOT_BARRED, REMEDY)


CHECKS = (check_erasures,)
