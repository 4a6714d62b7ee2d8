"""The currencies of the newest purchases: whose money the workers do not add, and what they would compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from stream.core.currency import Exchange
from stream.core.events.event import PurchaseCompleted
from stream.core.judgement.ranking import is_ranked, ranking_currency
from stream.core.model.document import ModelError
from stream.model_file import default_model, load_model
from stream.ops.cluster import message_headers, unread_batch
from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView
from stream.policy_file import PolicyFileError, load_policy
from stream.wire import decode

REMEDY = "name the currency that counts, and what the others are worth in it, in [finance] of the policy"


def check_currencies(view: ClusterView) -> Iterator[ClusterFinding]:
    """By the policy and model of STREAM_POLICY and STREAM_MODEL; a published model may be in another one."""
    settings = view.settings
    try:
        policy = load_policy(Path(settings.policy) if settings.policy else None)
        model = load_model(Path(settings.model)) if settings.model else default_model()
        ranking = ranking_currency(policy, model)
    except (PolicyFileError, ModelError, OSError) as error:
        found = f"policy and model cannot be used: {str(error).splitlines()[0]}"
        yield ClusterFinding("currencies", "fault", found, "correct STREAM_POLICY and STREAM_MODEL")
        return
    money, counts = Exchange(policy.finance.currency, policy.finance.rates), Counter[str]()
    for message in view.samples["purchases"]:
        if unread_batch(message) is None:
            event = decode("purchases", message.key(), message.value(), message_headers(message))
            if isinstance(event, PurchaseCompleted):
                counts[event.data.currency] += 1
    if not counts:
        yield ClusterFinding("currencies", "skipped", "no purchase on the inputs")
        return
    named = ", ".join(f"{count:,} in {code}" for code, count in counts.most_common(5))
    found = f"sampled purchases: {named}"
    counted = {code: money.currency if code in money.ratios else code for code in counts}
    unranked = sorted(code for code, home in counted.items() if not is_ranked(home, ranking))
    if unranked:
        found += f"; money in {', '.join(unranked[:5])} is not added to that in {ranking}"
        yield ClusterFinding("currencies", "note", found, REMEDY)
    elif len(set(counted.values())) > 1:
        found += "; the shipped model, until another is published, compares them as if they were in one"
        yield ClusterFinding("currencies", "note", found, REMEDY)
    else:
        yield ClusterFinding("currencies", "ok", found)


CHECKS = (check_currencies,)
