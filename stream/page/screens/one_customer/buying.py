"""How a customer buys, as a picture: each kept order, refunds, own rhythm, tier, stage, alerts in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import quantiles

from stream.core.facts.memory.corrections import Corrections
from stream.core.facts.memory.order_match import order_key
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import purchase_days
from stream.core.judgement.episode import is_open
from stream.core.units import DAY_MS, calendar_month
from stream.look.timeline import Line, Mark, Stretch, Timeline
from stream.page.screens.view import View, first_day_of_month
from stream.wording.alert import ALERT_NAMES
from stream.wording.amounts import count, every, money
from stream.wording.profile import STAGES

REACH_MS = 800 * DAY_MS
"""A picture goes back this far at most: longer ones are too dense to read."""
GAPS_MIN = 4
"""From so many gaps between purchase days on the middle half of them is a band."""
TICKS_MAX = 14
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def buying_picture(profile: Profile, alerts: Sequence[Stretch], view: View) -> Timeline | None:
    """The picture as of the view's instant; None for a customer of whom no order is kept.

    `alerts`: the times in which an alert was open.
    """
    orders = profile.buying.orders
    if not orders:
        return None
    start_ms = max(orders[0].at_ms, view.as_of_ms - REACH_MS) - 10 * DAY_MS
    band, expected = _rhythm(profile, view)
    last_ms = max([view.as_of_ms, *([expected.at_ms] if expected else [])])
    end_ms = last_ms + (last_ms - start_ms) // 12
    lines = [Line(view.as_of_ms, "now", "now", is_left=bool(expected and expected.at_ms > view.as_of_ms))]
    if expected is not None:
        ahead = expected.at_ms > view.as_of_ms
        lines.append(Line(expected.at_ms, expected.text, "expected", is_left=not ahead))
    return Timeline(
        start_ms,
        end_ms,
        _label(profile, expected, view),
        tuple(_ticks(start_ms, end_ms, view)),
        tuple(_marks(profile, start_ms, view)),
        band,
        lines,
        (
            ("tier", tuple(_tiers(profile, start_ms, view))),
            ("stage", tuple(_stages(profile, start_ms, view))),
            ("alerts", tuple(span for span in alerts if span.to_ms > start_ms)),
        ),
    )


def _label(profile: Profile, expected: Line | None, view: View) -> str:
    orders = count(len(profile.buying.orders), "kept order")
    ends = f"; the next one was expected on {view.date(expected.at_ms)}" if expected else ""
    return f"Time line of buying: {orders} until {view.date(profile.buying.sums.last_at_ms)}{ends}"


def _rhythm(profile: Profile, view: View) -> tuple[Stretch | None, Line | None]:
    """The band in which half of the customer's gaps would end, and when the next purchase was expected."""
    days = purchase_days(profile.buying, view.calendar)
    gaps = [later - earlier for earlier, later in pairwise(days)]
    if not gaps:
        return None, None
    start_ms = profile.buying.sums.last_midnight_ms
    if len(gaps) < GAPS_MIN:
        return None, Line(start_ms + sorted(gaps)[len(gaps) // 2] * DAY_MS, "next expected")
    low, middle, high = quantiles(gaps, n=4, method="inclusive")
    title = f"half of their gaps are {low:.0f} to {count(high, 'day')} long; usually they buy {every(middle)}"
    band = Stretch(start_ms + round(low * DAY_MS), start_ms + round((high + 1) * DAY_MS), "band", title)
    return band, Line(start_ms + round(middle * DAY_MS), "next expected")


def _marks(profile: Profile, start_ms: int, view: View) -> Iterator[Mark]:
    buying = profile.buying
    corrections = Corrections(buying.orders, buying.refunds, buying.cancelled, buying.cancelled_by)
    most = max((order.total_minor for order in buying.orders), default=0) or 1
    for order in buying.orders:
        if order.at_ms < start_ms:
            continue
        is_off = order_key(order) in corrections.cancelled
        words = f"{view.date(order.at_ms)}: {money(order.total_minor, order.currency)}"
        kind, more = ("cancelled", ", cancelled") if is_off else ("order", "")
        yield Mark(order.at_ms, kind, order.total_minor / most, words + more)
    for back in buying.refunds.values():
        if back.at_ms >= start_ms:
            words = f"{view.date(back.at_ms)}: refund of {money(back.refund_minor, back.currency)}"
            yield Mark(back.at_ms, "refund", 0.0, words)


def _tiers(profile: Profile, start_ms: int, view: View) -> Iterator[Stretch]:
    judgement = profile.judgement
    top = max(1, len(view.basis.tier_names) - 1)
    moves = judgement.tier_moves or [(profile.first_seen_ms, judgement.tier)]
    for (from_ms, rank), (to_ms, _) in pairwise([*moves, (view.as_of_ms, 0)]):
        if to_ms > start_ms:
            name = view.tier_name(rank)
            words = f"{name} tier from {view.date(from_ms)}"
            yield Stretch(max(from_ms, start_ms), to_ms, f"rank{round(3 * rank / top)}", words, name)


def _stages(profile: Profile, start_ms: int, view: View) -> Iterator[Stretch]:
    for (from_ms, stage), (to_ms, _) in pairwise(
        [*profile.judgement.stage_moves, (view.as_of_ms, "prospect")]
    ):
        if to_ms > start_ms:
            words = f"{STAGES[stage]} from {view.date(from_ms)}"
            kind = "lapsed" if stage == "lapsed" else "stage"
            yield Stretch(max(from_ms, start_ms), to_ms, kind, words, stage)


def open_span(profile: Profile, kind: str, view: View) -> Stretch | None:
    """The time in which the present alert of a kind has been open."""
    episode = profile.judgement.episodes.get(kind)
    if episode is None or not is_open(episode):
        return None
    words = f"{ALERT_NAMES[kind]}, open since {view.date(episode.opened_ms)}"
    return Stretch(episode.opened_ms, view.as_of_ms, "open", words)


def _ticks(start_ms: int, end_ms: int, view: View) -> Iterator[tuple[int, str]]:
    first, last = (calendar_month(view.calendar.local_day(each)) for each in (start_ms, end_ms))
    step = next((each for each in (1, 2, 3, 6) if (last - first) / each <= TICKS_MAX), 12)
    for month in range(first + 1, last + 1):
        if month % step == 0:
            at_ms = view.calendar.midnight_ms(first_day_of_month(month))
            year, place = divmod(month, 12)
            yield at_ms, MONTHS[place] + ("" if place and step < 12 else f" {1970 + year}")
