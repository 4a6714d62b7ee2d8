"""An alert tells whose churn risk decided, where the model knows; without it no byte is spent on that."""

from msgspec.structs import replace

from stream.core.judgement.basis import Basis
from stream.core.model.document import sealed
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import encode_alert
from tests.support.builders import bought
from tests.support.laws import lived, waited

LIFE = [bought(number * 5.0, 40_000, event_id=f"b{number}") for number in range(24)]
WORDS = "The risk is that of the purchase process: the history was too short."


def alerts_by(model):
    chosen = Basis(default_policy(), model)
    profile, alerts = lived(LIFE, chosen)
    return [*alerts, *waited(profile, profile.judgement.judged_ms + 200 * 86_400_000, chosen)[1]]


def test_an_alert_has_the_words_of_its_model_on_whose_risk_it_is():
    alerts = alerts_by(sealed(replace(default_model(), risk_of=WORDS, version="")))

    assert alerts
    assert {alert.data.risk_of for alert in alerts} == {WORDS}


def test_an_alert_by_a_model_without_these_words_has_the_bytes_it_had():
    alerts = alerts_by(default_model())

    assert alerts
    assert not any(b"risk_of" in encode_alert(alert) for alert in alerts)
