"""From records and events to a readout or a plan: which experiment, which customers, which money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stream.analysis.uplift.follow import Lives, lives_of
from stream.analysis.uplift.plan import AlertedShop, Plan, plan_of, shop_of
from stream.analysis.uplift.readout import Readout, ReadoutOptions, readout_of
from stream.analysis.uplift.records import Opening, Trial, TrialRecords, entrants_of, trials_of
from stream.core.events.event import Event
from stream.core.facts.meaning import Meaning
from stream.core.policy.policy import Policy


class NothingToCompareError(ValueError):
    """There is no experiment, or nobody in it; the message says what to do."""


class Study(Struct, frozen=True, kw_only=True):
    """A readout with all that explains it."""

    trial: Trial
    periods: tuple[str, ...]
    choice: ReadoutOptions
    readout: Readout
    notes: tuple[str, ...]


def study_of(
    records: TrialRecords,
    events: Iterable[Event],
    policy: Policy,
    *,
    window_ms: int,
    worth: float,
    now_ms: int,
    salt: str | None = None,
) -> Study:
    """The readout of the latest experiment, or of the latest with a salt. NothingToCompareError."""
    trial, others = _chosen(trials_of(records), salt)
    found, foreign = entrants_of(records, trial)
    entrants = [each for each in found if each.moment_ms <= now_ms]
    if not entrants:
        raise NothingToCompareError(
            f"experiment {trial.salt}: no alert of it was sent or would have been sent yet"
        )
    meaning = Meaning(policy)
    currency = _currency([each.opening for each in entrants], policy)
    lives = lives_of({each.opening.customer for each in entrants}, events, meaning.money)
    choice = ReadoutOptions(
        window_ms=window_ms,
        worth=worth,
        share=trial.share,
        as_of_ms=min(now_ms, lives.last_ms),
        currency=currency,
    )
    notes = (*records.notes(), *others, *_notes(foreign, len(found) - len(entrants), records))
    periods = tuple(sorted({each.period for each in entrants}))
    readout = _in_order_of_the_ladder(readout_of(entrants, lives, choice), policy)
    return Study(trial=trial, periods=periods, choice=choice, readout=readout, notes=notes)


def _notes(foreign: int, later: int, records: TrialRecords) -> Iterator[str]:
    """What is to be said of alerts that do not count, or count from another moment."""
    if foreign:
        yield (
            f"{foreign:,} alerts are left out: their arm does not follow from their customer, so somebody "
            "changed them or wrote them otherwise"
        )
    if later:
        yield f"{later:,} customers are left out: their alert was sent after --now, or would have been"
    if records.moments is None:
        yield (
            "no deliveries were given: customers count from the moment their alert was raised, also those to "
            "whom nothing would have been sent. That makes an effect look smaller"
        )


def _in_order_of_the_ladder(found: Readout, policy: Policy) -> Readout:
    """The same with the highest tier first; tiers of an earlier policy come last."""
    names = [step.name for step in reversed(policy.ladder.steps)]
    order = sorted(found.tiers, key=lambda tier: (names.index(tier) if tier in names else len(names), tier))
    return replace(found, tiers={tier: found.tiers[tier] for tier in order})


def _chosen(trials: dict[Trial, int], salt: str | None) -> tuple[Trial, list[str]]:
    """The latest experiment, and a note for each of the others."""
    fitting = [trial for trial in trials if salt is None or trial.salt == salt]
    if not trials:
        raise NothingToCompareError(
            "no alert is in an experiment: set [experiment] in the policy and wait (docs/uplift.md)"
        )
    if not fitting:
        known = ", ".join(sorted({trial.salt for trial in trials}))
        raise NothingToCompareError(
            f"no alert is in an experiment with the salt {salt!r}; there are: {known}"
        )
    chosen = fitting[-1]
    return chosen, [
        f"{number:,} alerts of another experiment are left out: salt {trial.salt}, {trial.share:.0%} held "
        f"out, policy {trial.policy_id}"
        for trial, number in trials.items()
        if trial != chosen
    ]


def _currency(openings: Sequence[Opening], policy: Policy) -> str:
    """The policy's currency, else that of most customers; empty where none is known."""
    counts = Counter(each.currency for each in openings if each.currency)
    return policy.finance.currency or min(counts, key=lambda code: (-counts[code], code), default="")


def planned(
    records: TrialRecords,
    events: Iterable[Event],
    policy: Policy,
    *,
    window_ms: int,
    effect: float,
    now_ms: int,
) -> tuple[Plan, AlertedShop]:
    """A plan for the shop that alerts and events show. NothingToCompareError."""
    openings = list(records.openings.values())
    lives: Lives = lives_of({each.customer for each in openings}, events, Meaning(policy).money)
    try:
        shop = shop_of(openings, lives, window_ms, min(now_ms, lives.last_ms), _currency(openings, policy))
    except ValueError as problem:
        raise NothingToCompareError(str(problem)) from None
    return plan_of(shop, effect), shop
