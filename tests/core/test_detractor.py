"""A detractor's answer is the reason of the alert, and the playbook recommends to call back."""

from stream.core.judgement.basis import Basis
from stream.core.step import on_event
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import decode_line
from tests.support.narrow import not_none


def line(text: str):
    return decode_line(('{"specversion":"1.0","source":"/t","subject":"c1",' + text + "}").encode())


def purchase(number: int):
    month, day = 1 + number // 4, 1 + number % 4 * 7
    return line(
        f'"id":"e{number}","type":"purchase.completed","time":"2024-{month:02d}-{day:02d}'
        f'T10:00:00Z","data":{{"order_id":"o{number}","total_minor":900000,"currency":"USD","products":[]}}'
    )


def test_a_loyal_customer_who_answers_two_of_ten_is_at_risk_as_a_detractor():
    basis = Basis(default_policy(), default_model())
    profile = None
    for number in range(24):
        profile = on_event(profile, purchase(number), basis).profile
    answer = (
        '"id":"a1","type":"feedback.survey_answered","time":"2024-06-23T10:00:00Z","data":{"response_id":"r",'
        '"survey":{"id":"s","kind":"nps"},"score":2}'
    )

    alert = next(a for a in on_event(profile, line(answer), basis).alerts if a.type == "at_risk_loyal.raised")

    assert alert.data.evidence[0].code == "DETRACTOR"
    assert alert.data.evidence[0].observed == 2.0
    assert not_none(alert.data.recommended_action).code == "DETRACTOR_CALLBACK"
