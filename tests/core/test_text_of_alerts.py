"""What an alert says to people (`data.text`): whole sentences, without codes and the name of the customer."""

import locale
import re
from contextlib import suppress

from hypothesis import given
from msgspec.structs import replace

from stream.core.alerts.alert import Alert, instant_of
from stream.core.alerts.amounts import date
from stream.core.alerts.to_do_words import action_words
from stream.core.alerts.wording import text_of
from stream.core.units import DAY_MS
from stream.wire import encode_alert
from tests.support.builders import at, basis, bought
from tests.support.laws import lived, waited
from tests.support.strategies import loyal_lives

LIFE = [bought(number * 5.0, 40_000, event_id=f"b{number}") for number in range(24)]
CODE = re.compile(r"[A-Z]{2,}_[A-Z_]+|[a-z]+_[a-z]+")


def alerts_of(life) -> list[Alert]:
    profile, alerts = lived(life, basis())
    return [*alerts, *waited(profile, profile.judgement.judged_ms + 200 * DAY_MS, basis())[1]]


def test_an_alert_says_why_what_is_at_stake_what_to_do_and_until_when():
    raised, escalated, *_, ended = alerts_of(LIFE)
    text = raised.data.text

    assert text is not None
    assert text.headline == "Loyal customer at risk: new alert (platinum tier, customer for 5 months)"
    assert text.why == "Usually buys every 5 days, has bought nothing for 34 days."
    assert text.at_stake is not None
    stake = (
        r"About \$[\d,]+ of profit on average within 12 months if they stay \(8 in 10 such customers: .*\)\."
    )
    assert re.fullmatch(stake, text.at_stake)
    assert text.to_do is not None
    assert text.to_do.startswith("Send a personal offer from the category they buy most. By email or push")
    assert text.until == "Closes with: 1 order, before 13 July 2024."
    assert escalated.data.text is not None
    assert escalated.data.text.headline.startswith("Loyal customer at risk: now more urgent (")
    assert ended.data.text is not None
    assert ended.data.text.why.startswith("Score now: ")
    assert ended.data.text.until is None


@given(loyal_lives())
def test_every_text_is_whole_sentences_without_codes_or_the_customer(life):
    for alert in alerts_of(life):
        text = alert.data.text
        assert text is not None
        opening = alert.data.state in ("raised", "escalated")
        assert (text.to_do is not None, text.until is not None) == (opening, opening)
        assert (text.at_stake is not None) == (alert.data.value_at_risk is not None)
        for part in filter(None, (text.headline, text.why, text.at_stake, text.to_do, text.until)):
            assert part[0].isupper() or part[0].isdigit(), part
            assert part[-1] in ".)", part
            assert ".." not in part, part
            assert not CODE.search(part), part
            assert "  " not in part
        assert len(encode_alert(alert)) < 20_000


def test_the_text_is_english_in_every_locale():
    """Names of months come from no library of the system: else a worker in Berlin writes other bytes."""
    (raised, *_) = alerts_of(LIFE)
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "pt_BR.UTF-8", "C.UTF-8"):
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
        try:
            assert text_of(raised.data, raised.expirytime, instant_of(raised.time)) == raised.data.text
        finally:
            locale.setlocale(locale.LC_ALL, before)


def test_days_are_those_of_the_business():
    zone = basis('business = { zone = "Pacific/Honolulu" }')
    (raised, *_) = waited(lived(LIFE, zone)[0], at(200), zone)[1]
    (in_utc, *_) = waited(lived(LIFE, basis())[0], at(200), basis())[1]
    text, cause = raised.data.text, raised.data.counterfactual
    assert text is not None
    assert cause is not None

    assert text.until == f"Closes with: 1 order, before {date(cause.before, zone.policy.calendar)}."
    assert text.until != text_of(raised.data, raised.expirytime, instant_of(raised.time)).until, (
        "that is the day in UTC"
    )
    assert in_utc.data.text == text_of(in_utc.data, in_utc.expirytime, instant_of(in_utc.time))


def test_who_has_refused_is_sent_nothing_and_the_text_begins_with_that():
    action = alerts_of(LIFE)[0].data.recommended_action
    assert action is not None
    assert action.requires_consent == "marketing"

    assert action_words(replace(action, consent="denied")) == (
        "Send nothing: they have refused marketing. Serve them well when they come by themselves: with an "
        "order, a visit or a question. With their consent it would be: "
        "Send a personal offer from the category they buy most. By email or push message."
    )
