"""One customer in full, in the order in which people ask: what to do now, then all that is known.

The words are those of `stream explain`, as of the instant of all pages, beside pictures of the same facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from stream.core.alerts.alert import AlertData, rfc3339
from stream.core.facts.memory.corrections import Corrections
from stream.core.facts.memory.order_match import order_key
from stream.core.facts.profile import Profile
from stream.core.policy.policy import AlertKind
from stream.look.timeline import Timeline
from stream.page.entries import OpenEntry, tier_before, tier_of_ladder, unpacked
from stream.page.screens.one_customer.alerts import EpisodeRow, episodes
from stream.page.screens.one_customer.buying import buying_picture, open_span
from stream.page.screens.one_customer.by_month import (
    MonthRow,
    ThemeRow,
    channels_by_month,
    money_by_month,
    mood_by_month,
    themes,
)
from stream.page.screens.one_customer.held import not_raised_lines
from stream.page.screens.one_customer.in_part import is_left_out
from stream.page.screens.one_customer.next_best import next_words
from stream.page.screens.one_customer.value import ValueFigures, value_figures
from stream.page.screens.open_list import named_alert
from stream.page.screens.view import View, known_filters, url
from stream.page.store.store import Reading
from stream.page.stored_profiles import whole_profile
from stream.wording.alert import (
    ALERT_NAMES,
    ending_words,
    lines_against,
    reason_lines,
    score_words,
    stake_words,
    to_do_words,
)
from stream.wording.amounts import money
from stream.wording.judged_by import judged_otherwise
from stream.wording.profile import STAGES, profile_sections

PATH, JSON_PATH = "/customer", "/customer.json"
FILTERS = ("id",)
SCORE_NOTES = {
    "at_risk_loyal": "The warning level is the larger of how far they drift from their own rhythm and how "
    "unhappy their feedback is, no probability; the risk that they do not buy again is under Outlook.",
}
"""Kind of alert -> what its score is not."""


class OpenAlert(Struct, frozen=True):
    """An alert that is open, as of now, in words."""

    title: str
    urgent: bool
    opened: str
    since: str
    why: list[str]
    but: list[str]
    """Reasons against it."""
    score: str
    score_note: str
    """What the score is not: it stands beside the risk, and is another number."""
    stake: str
    closes: str
    to_do: str
    alert_id: str


class OrderRow(Struct, frozen=True):
    """One of the kept orders."""

    day: str
    number: str
    amount: str
    refunded: str
    """Empty where nothing went back."""
    cancelled: bool


class CustomerScreen(Struct, frozen=True):
    """All that the screen shows."""

    customer: str
    tier: str
    stage: str
    move: str
    last_known: str
    open_alerts: list[OpenAlert]
    not_raised: list[str]
    """Which alerts are held back, and why."""
    sections: dict[str, tuple[str, ...]]
    """Heading -> lines, as `stream explain` says them."""
    value: ValueFigures | None
    timeline: Timeline | None
    money: MonthRow | None
    channels: list[MonthRow]
    mood: MonthRow | None
    themes: list[ThemeRow]
    next_best: str
    """The category to offer next, and why; empty: none of theirs is known."""
    counted_from: str
    """From this day on the series by month are complete; empty: from the beginning."""
    orders: list[OrderRow]
    older_orders: int
    """How many are no longer kept one by one."""
    moves: list[tuple[str, str]]
    """Day and words of each kept change of tier and stage, the latest first."""
    alerts: list[EpisodeRow]
    json_url: str


def customer_id(query: Mapping[str, str]) -> str:
    """The customer that the URL names, as it is: ids may begin or end with a space. FilterError."""
    known_filters(query, FILTERS)
    return query.get("id", "")


def customer_profile(reading: Reading, customer: str) -> bytes | None:
    """The stored profile as JSON; None: the customer is not known."""
    found = reading.rows("SELECT body FROM profiles WHERE customer = ?", [customer])
    return unpacked(bytes(found[0][0])) if found else None


def customer_screen(
    reading: Reading, customer: str, view: View, report: Mapping[str, Any] | None = None
) -> CustomerScreen | None:
    """The screen of a customer; None: the customer is not known, or not in full (in_part.py). `report`: the
    numbers published last."""
    found = reading.rows("SELECT body FROM profiles WHERE customer = ?", [customer])
    profile = whole_profile(found[0][0]) if found else None
    if profile is None or is_left_out(reading, customer):
        return None
    judgement = profile.judgement
    alerts = episodes(reading, customer, view)
    now = [span for kind in judgement.episodes if (span := open_span(profile, kind, view))]
    spans = [row.span for row in alerts] if view.has_alerts else now
    return CustomerScreen(
        customer=view.shown(customer),
        tier=view.tier_name(tier_of_ladder(profile, view.basis)),
        stage=STAGES[judgement.stage],
        move=view.tier_move(tier_before(judgement), judgement.tier, judgement.tier_since_ms),
        last_known=view.date(judgement.judged_ms) if judgement.judged_ms else "",
        open_alerts=list(_open_alerts(reading, customer, view)),
        not_raised=not_raised_lines(profile, view),
        sections=_sections(profile, view),
        value=value_figures(profile, view),
        timeline=buying_picture(profile, spans, view),
        money=money_by_month(profile, view),
        channels=channels_by_month(profile, view),
        mood=mood_by_month(profile, view),
        themes=themes(profile),
        next_best=next_words(profile, report, view),
        counted_from=view.date(profile.counted_from_ms) if profile.counted_from_ms else "",
        orders=list(_orders(profile, view)),
        older_orders=max(0, profile.buying.sums.orders - len(profile.buying.orders)),
        moves=list(_moves(profile, view)),
        alerts=alerts,
        json_url=url(JSON_PATH, {"id": view.shown(customer)}),
    )


def _open_alerts(reading: Reading, customer: str, view: View) -> Iterator[OpenAlert]:
    columns = ", ".join(OpenEntry.__struct_fields__)
    sql = f"SELECT {columns} FROM open_alerts WHERE customer = ? ORDER BY worth DESC, kind"
    for row in reading.rows(sql, [customer]):
        entry = OpenEntry(*row)
        yield _open_alert(entry, named_alert(reading, entry, view), view)


def _open_alert(entry: OpenEntry, data: AlertData, view: View) -> OpenAlert:
    action, stake = data.recommended_action, data.value_at_risk
    return OpenAlert(
        title=ALERT_NAMES[data.kind].capitalize(),
        urgent=bool(entry.urgent),
        opened=view.date(entry.opened_ms),
        since=view.ago(entry.opened_ms),
        why=reason_lines(data, view.calendar, view.as_of_ms) or ["no single reason stands out"],
        but=lines_against(data, view.calendar, view.as_of_ms),
        score=score_words(data),
        score_note=SCORE_NOTES.get(data.kind, ""),
        stake=stake_words(stake) if stake is not None else "",
        closes=ending_words(data, rfc3339(_expires_ms(entry, data.kind, view)), view.calendar),
        to_do=to_do_words(data) if action is not None else "",
        alert_id=data.alert_id,
    )


def _expires_ms(entry: OpenEntry, kind: AlertKind, view: View) -> int:
    return entry.opened_ms + view.basis.hysteresis[kind].expire_ms


def _sections(profile: Profile, view: View) -> dict[str, tuple[str, ...]]:
    other = judged_otherwise(profile, view.basis)
    found = profile_sections(profile, view.as_of_ms, view.basis, of_other_basis=other)
    return {section.title: section.lines for section in found}


def _orders(profile: Profile, view: View) -> Iterator[OrderRow]:
    buying = profile.buying
    corrections = Corrections(buying.orders, buying.refunds, buying.cancelled, buying.cancelled_by)
    for order in reversed(buying.orders):
        back_minor = corrections.refunded_minor(order)
        yield OrderRow(
            day=view.date(order.at_ms),
            number=order.order_id,
            amount=money(order.total_minor, order.currency),
            refunded=money(back_minor, order.currency) if back_minor else "",
            cancelled=order_key(order) in corrections.cancelled,
        )


def _moves(profile: Profile, view: View) -> Iterator[tuple[str, str]]:
    judgement = profile.judgement
    moves = [(at_ms, f"{view.tier_name(rank)} tier") for at_ms, rank in judgement.tier_moves]
    moves += [(at_ms, STAGES[stage]) for at_ms, stage in judgement.stage_moves]
    for at_ms, words in sorted(moves, reverse=True):
        yield view.date(at_ms), words
