"""Alerts and profiles in words: no code names, a unit for every number, words for every reason."""

from __future__ import annotations

import re

from hypothesis import given
from msgspec import structs

from stream.core.alerts.alert import Evidence
from stream.core.calendar import UTC_CALENDAR
from stream.core.facts.fold import TOUCHES as OWN_TOUCHES
from stream.core.policy.policy import DEFAULT_PLAYBOOK
from stream.wording.alert import REASON_WORDS, alert_lines, because, headline, reason_words
from stream.wording.dead_ends import ACTIVITIES
from stream.wording.profile import buying_lines, profile_sections
from tests.support import demo_alerts
from tests.support.builders import (
    answered,
    at,
    basis,
    bought,
    complained,
    erased,
    identified,
    mailed,
    reviewed,
    viewed,
    visited,
)
from tests.support.laws import lived, waited
from tests.support.strategies import in_time_order, loyal_lives, mixtures

CODE_NAME = re.compile(r"[A-Z]{2,}_[A-Z]|[a-z]+_[a-z]+|\bnan\b|\bNone\b|\{|\}|\b\w+=")


def regular(count: int = 20, gap: float = 7.0) -> list:
    return [bought(number * gap, 20_000, event_id=f"b{number}") for number in range(count)]


def inactivity_alert():
    _, alerts = waited(lived(regular(), basis())[0], at(250), basis())
    return next(alert for alert in alerts if alert.data.state == "raised")


def test_an_alert_whose_tier_is_reached_is_not_nought_per_cent_of_the_way_to_the_next():
    sent = demo_alerts.alert("c", kind="upgrade_opportunity", state="cleared")
    score = structs.replace(sent.data.score, value=0.0)
    reached = structs.replace(sent, data=structs.replace(sent.data, score=score, evidence=()))

    headline, *rest = alert_lines(reached)
    assert headline.endswith("ready for the next tier: closed, the customer has reached a higher tier")
    assert rest == ["Now of the gold tier"]


def test_an_alert_of_inactivity_names_the_rhythm_the_money_and_what_would_close_it():
    lines = alert_lines(inactivity_alert())
    text = "\n".join(lines)

    assert re.match(
        r"\d+ \w+ 2024: c \(\w+ tier, customer for \d+ months\), loyal customer at risk: new alert", text
    )
    assert re.search(r"Why: usually buys every 7 days, has bought nothing for \d+ days", text)
    assert re.search(r"Score: warning level \d+ of 100, .* \(alert from \d+, closed below \d+\)", text)
    assert "% risk" not in text
    assert re.search(r"At stake: about \$[\d,.]+ of profit on average within 12 months if they stay", text)
    assert re.search(r"Closes with: \d orders?, before \d+ \w+ 2024", text)
    assert re.search(
        r"To do: Send a personal offer .* By email or push message; it is not known whether they agreed to ",
        text,
    )


def test_an_unhappy_customers_alert_names_the_themes_and_never_the_words():
    life = [
        *regular(),
        reviewed(134, 1, "The delivery was late, AWFUL!!"),
        reviewed(134.2, 1, "late delivery again"),
    ]
    alert = lived(life, basis())[1][-1]

    assert re.search(
        r"recent feedback is very negative \(-1\.0 on a scale from -1 to 1\).*, mostly about delivery",
        because(alert),
    )
    assert "AWFUL" not in "\n".join(alert_lines(alert))


def test_a_closed_alert_says_so_and_shows_the_score_now():
    life = [
        *regular(),
        reviewed(134, 1),
        answered(134.1, 0),
        *(reviewed(135 + n / 9, 5) for n in range(5)),
        bought(136),
    ]
    cleared = lived(life, basis())[1][-1]

    assert headline(cleared).endswith("loyal customer at risk: closed, it no longer applies")
    assert [line.split(":")[0] for line in alert_lines(cleared)[1:]] == ["Score now"]


def test_larger_orders_than_usual_are_mentioned():
    life = [
        *(bought(number * 7, 1_000) for number in range(8)),
        *(bought(60 + number, 9_000) for number in range(3)),
    ]
    text = " ".join(buying_lines(lived(life, basis())[0].buying, at(64), UTC_CALENDAR))

    assert re.search(r"Recent orders are about \$[\d.]+, \d+% more than usual\.", text)


@given(loyal_lives())
def test_no_code_name_reaches_a_reader_of_alerts(life):
    profile, alerts = lived(life, basis())
    alerts += waited(profile, at(900), basis())[1]
    for alert in alerts:
        plain = structs.replace(alert, subject="customer")
        for line in alert_lines(plain):
            assert not CODE_NAME.search(line), line


@given(mixtures())
def test_no_code_name_reaches_a_reader_of_profiles(life):
    profile, _ = lived(in_time_order(life), basis())
    for section in profile_sections(profile, profile.judgement.judged_ms or at(500), basis()):
        assert section.lines
        for line in section.lines:
            assert not CODE_NAME.search(line), line
            assert line.endswith((".", ".)")), line


def test_every_reason_of_the_playbook_and_every_activity_has_words():
    assert DEFAULT_PLAYBOOK.keys() - REASON_WORDS.keys() == set()
    assert set(OWN_TOUCHES.values()) - ACTIVITIES.keys() == set()


def test_an_unknown_reason_is_shown_without_its_code():
    odd = Evidence(code="NEW_CODE", feature="days_since_moon", observed=3.0, unit="days", contribution=1.0)

    assert reason_words(odd, "USD") == "days since moon: 3 (days)"


def test_a_profile_shows_every_side_of_a_customer():
    life = [
        *(identified(0, "spring"), *regular(), mailed(62), visited(134)),
        *(viewed(130 + number, "garden") for number in range(3)),
        *(reviewed(133.5, 2, "rude staff"), answered(133.6, 9), complained(134, "t")),
    ]
    profile, _ = lived(in_time_order(life), basis())
    sections = {
        section.title: " ".join(section.lines) for section in profile_sections(profile, at(140), basis())
    }

    assert "Acquired by campaign spring through the channel search on 1 January 2024." in sections["Who"]
    assert "20 orders on 20 days since 1 January 2024; the last one 7 days ago" in sections["Buying"]
    assert "Usually buys every 7 days, give or take less than a day; recently" in sections["Buying"]
    assert "Has paid $4,000.00 so far: $200.00 per order" in sections["Buying"]
    assert "Mostly buys on Mondays" in sections["Buying"]
    assert "Looks at garden, but has never bought there." in sections["Interests"]
    assert "email: 1 delivered." in sections["Engagement"]
    assert re.search(r"Expected profit within 12 months: \$[\d,]+ on average", sections["Value"])
    assert "Complains about service." in sections["Feedback"]
    assert "Would recommend us: 9 of 10" in sections["Feedback"]
    assert "1 ticket or complaint open, the oldest for 6 days." in sections["Feedback"]
    assert "Last activity: complained, 6 days ago." in sections["Dead ends"]
    assert re.search(r"do not buy again within their usual time: .*\d+%\.", sections["Outlook"])


def test_an_erased_customer_has_one_line_only():
    profile, _ = lived([bought(1), erased(2)], basis())

    (section,) = profile_sections(profile, at(3), basis())

    assert section.lines == ("Erased at the customer's request on 3 January 2024; no data is kept.",)
