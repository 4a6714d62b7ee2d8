"""What words are worth: scores in labels, statuses, openings by machines, calls of Segment and GA4."""

import pytest

from tests.support.importing import case, imported, orders, refunds

ANSWERS = """
source = "/survey"
[columns]
customer = "who"
time = "at"
rating = "score"
channel = "how?"
[constants]
event = "feedback.survey_answered"
survey_kind = "nps"
"""
STARS = ANSWERS.replace("survey_answered", "reviewed").replace('survey_kind = "nps"', 'rating_max = "5"')
CSAT = ANSWERS.replace('"nps"', '"csat"')


def answer(folder, text, mapping=ANSWERS):
    return imported(folder, f'who,at,score\nann,2026-01-01,"{text}"\n', mapping)


def scores(done):
    return [e["data"].get("score", e["data"].get("rating")) for e in done.events]


def test_answers_of_a_survey_with_labels_and_a_second_header():
    done = case("words-for-scores", "m.toml", "survey.csv")

    assert scores(done) == [10, 0, 7]
    assert done.reasons() == [(2, "second_header"), (6, "rating_missing")]
    assert done.summary.rejected_share == 0.25


@pytest.mark.parametrize(
    ("text", "mapping", "score"),
    [
        *(("10", ANSWERS, 10), ("7.0", ANSWERS, 7), ("Extremely likely - 10", ANSWERS, 10)),
        *(
            ("0 - Not at all likely", ANSWERS, 0),
            ("Promoter : 9", ANSWERS, 9),
            ("4 out of 5 stars", STARS, 4),
        ),
        *(("1 star", STARS, 1), ("4,5", STARS, 4.5), ("5", CSAT, 5)),
    ],
)
def test_scores_in_labels_are_read(tmp_path, text, mapping, score):
    assert scores(answer(tmp_path, text, mapping)) == [score]


@pytest.mark.parametrize(
    ("text", "mapping", "reason"),
    [
        *(("11", ANSWERS, "rating_out_of_scale"), ("0", STARS, "rating_out_of_scale")),
        *(("7", STARS, "rating_out_of_scale"), ("0", CSAT, "rating_out_of_scale")),
        *(("6", CSAT, "rating_out_of_scale"), ("", ANSWERS, "rating_missing")),
        *(("Likely", ANSWERS, "rating_unreadable"), ("-1", ANSWERS, "rating_unreadable")),
    ],
)
def test_scores_outside_their_scale_are_refused(tmp_path, text, mapping, reason):
    assert answer(tmp_path, text, mapping).reasons() == [(2, reason)]


def test_a_scale_can_begin_below_one(tmp_path):
    mapping = STARS.replace("[constants]", '[constants]\nrating_min = "0.5"')

    assert scores(answer(tmp_path, "0.5", mapping)) == [0.5]


def test_a_mapping_says_what_a_label_is_worth(tmp_path):
    mapping = ANSWERS + '[values.rating]\n"Very likely" = 9\nNever = "0"\n'

    assert scores(answer(tmp_path, "very likely", mapping)) == [9]
    assert scores(answer(tmp_path, "Never ", mapping)) == [0]
    assert answer(tmp_path, "Perhaps", mapping).reasons() == [(2, "rating_unreadable")]


def test_labels_of_any_field_have_values(tmp_path):
    mapping = """
    [columns]
    customer = "who"
    time = "at"
    event = "state"
    ticket = "id"
    [values.event]
    solved = "closed"
    [events]
    new = "feedback.ticket_opened"
    closed = "feedback.ticket_resolved"
    """
    text = "who,at,state,id\nann,2026-01-01,new,7\nann,2026-01-02,Solved,7\n"

    assert [e["type"] for e in imported(tmp_path, text, mapping).events] == [
        *("feedback.ticket_opened", "feedback.ticket_resolved"),
    ]


def test_openings_by_machines_are_marked():
    change = ('time = "timestamp"', 'time = "timestamp"\nbot = "sg_machine_open?"')
    done = case("opened-by-machines", "m.toml", "sendgrid.jsonl", change=change)
    opened = done.of("engagement.message_opened")

    assert {(e["subject"], e["data"].get("bot", False)) for e in opened} == {
        *(("a@example.com", True), ("b@example.com", False)),
    }
    assert done.rejects == []


def test_a_word_for_a_bot_that_is_not_known_is_refused(tmp_path):
    mapping = """
    [columns]
    customer = "who"
    time = "at"
    bot = "bot"
    [constants]
    event = "engagement.message_opened"
    """
    done = imported(tmp_path, "who,at,bot\nann,2026-01-01,perhaps\nann,2026-01-01,No\n", mapping)

    assert (done.reasons(), len(done.events)) == ([(2, "bot_unreadable")], 1)


def test_a_channel_without_a_campaign_is_an_acquisition_too(tmp_path):
    mapping = ANSWERS.replace("feedback.survey_answered", "customer.identified").replace(
        'rating = "score"\n', ""
    )
    done = imported(tmp_path, "who,at,how\nann,2026-01-01,instagram\n", mapping)

    assert done.events[0]["data"]["acquired"] == {"channel": "instagram"}


def test_calls_that_the_spec_of_segment_allows():
    done = case("segment-calls", "segment-track", "calls.jsonl")

    assert orders(done) == {
        **{"O1": 5450, "O2": 3000, "O4": 2000, "O6": 7000, "12345": 123450, "O8": 0, "O9": 3000},
    }
    assert refunds(done) == [("O1", 5450), ("O2", 1000)]
    assert [p["product_id"] for p in done.events[0]["data"]["products"]] == ["S1"]
    assert done.of("engagement.product_viewed")[0]["data"]["product_id"] == "S1"
    assert sorted(done.reasons()) == [(2, "order_repeated"), (8, "customer_missing"), (13, "quantity_zero")]


def test_calls_without_an_event_are_ignored(tmp_path):
    from stream.importing.files.mapping.load import ready_mappings

    text = '{"type": "identify", "userId": "u", "timestamp": "2026-03-01T10:00:00Z", "messageId": "i"}\n'
    done = imported(tmp_path, text, ready_mappings()["segment-track"], "calls.jsonl")

    assert (done.summary.ignored, done.rejects) == (1, [])


def test_purchases_of_ga4_without_a_transaction_id_are_orders_of_their_own():
    done = case("order-not-set", "ga4-bigquery", "events.jsonl")
    own = sorted(total for order, total in orders(done).items() if order.startswith("own-"))

    assert own == [1000, 1500, 2500, 3500, 4000]
    assert done.reasons() == [(7, "order_repeated")]  # T100 an hour later, with the same products
    assert len({e["id"] for e in done.events}) == len(done.events) == 8
