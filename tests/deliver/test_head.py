"""Every published alert is read; whatever else lies on the topic is refused in words, without contents."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.deliver.adapters.flat import flat_alert
from stream.deliver.plan.head import AlertHead, NoAlertError, read_head
from tests.support.alert_bodies import DAY_MS, NOW_MS, alert_body
from tests.support.pages import ROOT

EXAMPLES = sorted((ROOT / "schemas" / "examples" / "alert" / "2").glob("good-*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_published_alert_is_read(path):
    body = json.loads(path.read_text())
    head = read_head(path.read_bytes())

    assert (head.alert_id, head.customer, head.episode) == (
        body["id"],
        body["subject"],
        body["correlationid"],
    )
    assert f"{head.kind}.{head.state}" == body["type"]
    assert head.is_end == ("expirytime" not in body)


def test_the_fields_of_an_alert():
    head = read_head(alert_body("c7", tier="gold", at_stake_minor=1_234, arm="treated"))

    assert head == AlertHead(
        alert_id=head.alert_id,
        customer="c7",
        episode="at_risk_loyal|c7|1|1",
        kind="at_risk_loyal",
        state="raised",
        tier="gold",
        at_ms=NOW_MS,
        at_stake_minor=1_234,
        expires_ms=NOW_MS + 45 * DAY_MS,
        arm="treated",
        consent="not_needed",
    )


def test_an_alert_of_a_later_minor_version_is_read():
    body = json.loads(alert_body()) | {"news": {"of": "2027"}}

    assert read_head(json.dumps(body).encode()).customer == "c1"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": None}, r"\$.id"),
        ({"id": "a\r\nx-evil: 1"}, r"\$.id"),
        ({"id": ""}, r"\$.id"),
        ({"subject": ""}, r"\$.subject"),
        ({"time": "yesterday"}, r"\$.time"),
        ({"time": "2026-11-30T10:00:00"}, r"\$.time"),
        ({"data": {}}, r"\$.data"),
    ],
)
def test_a_record_that_is_no_alert_is_refused_with_the_place(change, why):
    body = json.dumps(json.loads(alert_body()) | change).encode()

    with pytest.raises(NoAlertError, match=why):
        read_head(body)


@pytest.mark.parametrize("body", [None, b"", b"\xff", b"[" * 100_000, b"{}", b"x" * (1 << 21)])
def test_a_record_that_is_nothing_at_all_is_refused(body):
    with pytest.raises(NoAlertError):
        read_head(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_alert_or_refused(body):
    with pytest.raises(NoAlertError):
        read_head(body)


@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=3).map(sorted))
def test_what_is_decided_by_and_what_tools_get_are_one_amount(percentiles):
    at_risk = dict(zip(("p10_minor", "p50_minor", "p90_minor"), percentiles, strict=True))
    body = json.loads(alert_body())
    body["data"]["value_at_risk"] |= at_risk
    written = json.dumps(body).encode()

    assert read_head(written).at_stake_minor == flat_alert(written).properties["at_stake_minor"]
