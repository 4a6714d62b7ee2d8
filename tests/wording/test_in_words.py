"""Alerts and profiles read well: no code names, units everywhere, every reason told."""

from __future__ import annotations

import re

from hypothesis import given
from msgspec import structs

from stream.core.alerts.alert import Evidence
from stream.core.facts.fold import TOUCHES as OWN_TOUCHES
from stream.core.policy.policy import DEFAULT_PLAYBOOK
from stream.wording.alert import REASONS, alert_lines, because, headline, reason_words
from stream.wording.dead_ends import TOUCHES
from stream.wording.profile import buying_lines, profile_sections
from tests.support.builders import (
    answered,
    at,
    book,
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


def silent_alert():
    _, alerts = waited(lived(regular(), book())[0], at(250), book())
    return next(alert for alert in alerts if alert.data.state == "raised")


def test_an_alert_of_silence_tells_the_own_rhythm_the_stakes_and_what_would_end_it():
    lines = alert_lines(silent_alert())
    told = "\n".join(lines)

    assert re.match(
        r"\d+ \w+ 2024: c \(\w+ tier, customer for \d+ months\), loyal customer at risk: new alert", told
    )
    assert re.search(r"Why: usually buys every 7 days, silent for \d+ days", told)
    assert re.search(r"How sure: \d+ % risk of losing them, .* \(alert from \d+ %, over below \d+ %\)", told)
    assert re.search(r"At stake: about \$[\d,.]+ of earnings within 12 months if they stay", told)
    assert re.search(r"Would end: \d orders?, before \d+ \w+ 2024", told)
    assert re.search(
        r"To do: Send a personal offer .* By email or push; whether they agreed to marketing is not known\.",
        told,
    )


def test_an_unhappy_customers_alert_names_the_themes_and_never_the_words():
    life = [
        *regular(),
        reviewed(134, 1, "The delivery was late, AWFUL!!"),
        reviewed(134.2, 1, "late delivery again"),
    ]
    alert = lived(life, book())[1][-1]

    assert re.search(
        r"recent feedback is very unhappy \(-1\.0 on a scale from -1 to 1\).*, mostly about delivery",
        because(alert.data),
    )
    assert "AWFUL" not in "\n".join(alert_lines(alert))


def test_the_end_of_an_alert_is_told_as_such():
    life = [
        *regular(),
        reviewed(134, 1),
        answered(134.1, 0),
        *(reviewed(135 + n / 9, 5) for n in range(5)),
        bought(136),
    ]
    cleared = lived(life, book())[1][-1]

    assert headline(cleared).endswith("loyal customer at risk: over, all is well again")
    assert [line.split(":")[0] for line in alert_lines(cleared)[1:]] == ["Now"]


def test_a_larger_basket_is_told_as_such():
    life = [
        *(bought(number * 7, 1_000) for number in range(8)),
        *(bought(60 + number, 9_000) for number in range(3)),
    ]
    told = " ".join(buying_lines(lived(life, book())[0].buying, at(64)))

    assert re.search(r"Recent orders are about \$[\d.]+, \d+ % more than usual\.", told)


@given(loyal_lives())
def test_no_code_name_reaches_a_reader_of_alerts(life):
    profile, alerts = lived(life, book())
    alerts += waited(profile, at(900), book())[1]
    for alert in alerts:
        plain = structs.replace(alert, subject="customer")
        for line in alert_lines(plain):
            assert not CODE_NAME.search(line), line


@given(mixtures())
def test_no_code_name_reaches_a_reader_of_profiles(life):
    profile, _ = lived(in_time_order(life), book())
    for section in profile_sections(profile, profile.judgement.judged_ms or at(500), book()):
        assert section.lines
        for line in section.lines:
            assert not CODE_NAME.search(line), line
            assert line.endswith((".", ".)")), line


def test_every_reason_of_the_playbook_and_every_own_touch_has_words():
    assert DEFAULT_PLAYBOOK.keys() - REASONS.keys() == set()
    assert set(OWN_TOUCHES.values()) - TOUCHES.keys() == set()


def test_a_reason_without_words_is_told_without_its_code():
    odd = Evidence(code="NEW_CODE", feature="days_since_moon", observed=3.0, unit="days", contribution=1.0)

    assert reason_words(odd, "USD") == "days since moon: 3 (days)"


def test_a_profile_tells_a_customer_from_every_side():
    life = [
        *(identified(0, "spring"), *regular(), mailed(62), visited(134)),
        *(viewed(130 + number, "garden") for number in range(3)),
        *(reviewed(133.5, 2, "rude staff"), answered(133.6, 9), complained(134, "t")),
    ]
    profile, _ = lived(in_time_order(life), book())
    told = {section.title: " ".join(section.lines) for section in profile_sections(profile, at(140), book())}

    assert "Won by campaign spring through search on 1 January 2024." in told["Who"]
    assert "20 orders on 20 days since 1 January 2024; the last one 7 days ago" in told["Buying"]
    assert "Usually buys every 7 days" in told["Buying"]
    assert "Paid $4,000.00 so far, $200.00 an order" in told["Buying"]
    assert "Buys mostly on Mondays" in told["Buying"]
    assert "Looks at garden without ever having bought there." in told["Interests"]
    assert "email: 1 delivered." in told["Engagement"]
    assert re.search(r"Expected to earn \$[\d,]+ within 12 months", told["Value"])
    assert "Complains about service." in told["Feedback"]
    assert "Would recommend us: 9 of 10" in told["Feedback"]
    assert "1 ticket or complaint open, the oldest for 6 days." in told["Feedback"]
    assert "The last thing they did themselves was a complaint, 6 days ago." in told["Dead ends"]
    assert re.search(r"do not buy again in the time they usually would: .*\d+ %\.", told["Outlook"])


def test_an_erased_customer_has_nothing_left_to_tell():
    profile, _ = lived([bought(1), erased(2)], book())

    (section,) = profile_sections(profile, at(3), book())

    assert section.lines == ("Erased at their own wish on 3 January 2024; nothing is kept.",)
