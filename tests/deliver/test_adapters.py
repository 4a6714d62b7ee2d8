"""What each tool is sent for an alert, held as files; the alert's id is the tool's key against repeats."""

import json
import uuid
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.deliver.adapters.shape import ADAPTERS, adapter_of, shaped
from stream.deliver.adapters.tools import CROCKFORD, ShapeOptions, ulid_of
from stream.deliver.endpoints.endpoint import Endpoint
from stream.deliver.endpoints.file import EndpointsFileError, parse_endpoints
from stream.deliver.send.client import Client, request_of
from tests.support.alert_bodies import NOW_MS
from tests.support.pages import ROOT
from tests.support.raw_receiver import RawReceiver, whole

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = ROOT / "schemas" / "examples" / "alert" / "2"
TOOLS = [name for name in ADAPTERS if name != "generic"]
STATES = ("raised", "escalated", "cleared", "expired")
TOKEN = "site:token"


def body_of(state: str) -> bytes:
    return (EXAMPLES / f"good-at-risk-loyal-{state}.json").read_bytes()


def written(name, state: str, **more) -> dict[str, Any]:
    options = ShapeOptions(**({"event_name": "pe123_customer_alert"} if name == "hubspot" else {}) | more)
    adapter = adapter_of(name)
    assert adapter is not None
    sent: dict[str, Any] = json.loads(shaped(adapter, body_of(state), TOKEN, options).body)
    return sent


@pytest.mark.parametrize("name", TOOLS)
def test_what_is_sent_is_as_in_the_file(name):
    """After a change on purpose: delete the file, run this test twice, and look at the difference."""
    made = {state: written(name, state) for state in ("raised", "cleared")}
    made["raised, customers known by e-mail"] = written(name, "raised", customer_is="email")
    path = GOLDEN / f"{name}.json"
    if not path.exists():
        path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
        pytest.fail(f"{path.name} was missing and is written: look at it")

    assert json.loads(path.read_text()) == made


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("state", STATES)
def test_the_key_against_repeats_is_made_of_the_alerts_id_alone(name, state):
    alert_id = json.loads(body_of(state))["id"]
    key = {
        "segment": lambda sent: sent["messageId"],
        "rudderstack": lambda sent: sent["messageId"],
        "klaviyo": lambda sent: sent["data"]["attributes"]["unique_id"],
        "customerio": lambda sent: str(uuid.UUID(int=number_of(sent["id"]))),
        "braze": lambda sent: sent["events"][0]["properties"]["alert_id"],
        "hubspot": lambda sent: sent["uuid"],
        "iterable": lambda sent: sent["id"],
        "mautic": lambda sent: sent["alert_id"],
        "slack": lambda sent: sent["text"].splitlines()[-1].strip("_"),
    }[name]

    assert key(written(name, state)) == alert_id
    assert written(name, state) == written(name, state)


def number_of(ulid: str) -> int:
    number = 0
    for letter in ulid:
        number = number * 32 + CROCKFORD.index(letter)
    return number


@given(st.uuids())
def test_a_uuid_and_its_ulid_are_the_same_bits(each):
    ulid = ulid_of(str(each))

    assert len(ulid) == 26
    assert ulid[0] in "01234567"
    assert number_of(ulid) == each.int


def test_an_id_that_is_no_uuid_has_a_ulid_as_well():
    assert ulid_of("alert 7") == ulid_of("alert 7") != ulid_of("alert 8")


@pytest.mark.parametrize("name", TOOLS)
def test_values_are_flat_and_nothing_that_is_missing_is_sent(name):
    """Tools read no lists or objects in properties, and show an empty text as one."""
    sent = written(name, "raised")
    properties = {
        "segment": sent.get("properties"),
        "rudderstack": sent.get("properties"),
        "klaviyo": sent.get("data", {}).get("attributes", {}).get("properties"),
        "customerio": sent.get("attributes"),
        "braze": sent.get("events", [{}])[0].get("properties"),
        "hubspot": sent.get("properties"),
        "iterable": sent.get("dataFields"),
    }.get(name)
    for key, value in (properties or {}).items():
        assert isinstance(value, str | int | float), key
        assert value != "", key


@pytest.mark.parametrize("name", TOOLS)
def test_an_alert_of_version_1_which_has_no_words_is_written_as_well(name):
    old = json.loads(body_of("raised"))
    del old["data"]["text"]
    adapter = adapter_of(name)
    assert adapter is not None

    assert shaped(adapter, json.dumps(old).encode(), TOKEN, ShapeOptions()).body


def test_what_a_customer_is_called_cannot_format_a_message():
    alert = json.loads(body_of("raised"))
    alert["subject"] = "<!channel> & co"
    adapter = adapter_of("slack")
    assert adapter is not None
    text = json.loads(shaped(adapter, json.dumps(alert).encode(), "", ShapeOptions()).body)["text"]

    assert "&lt;!channel&gt; &amp; co" in text


def unsigned(name) -> Endpoint:
    return Endpoint(name=name, url="https://x.example/", key=b"", adapter=adapter_of(name), token=TOKEN)


async def test_the_token_is_in_the_header_that_the_tool_reads():
    headers = {}
    for name in TOOLS:
        headers[name], _ = request_of(unsigned(name), "id", body_of("raised"), 0)
    assert headers["segment"]["authorization"] == "Basic c2l0ZTp0b2tlbg=="
    assert headers["klaviyo"]["authorization"] == "Klaviyo-API-Key site:token"
    assert headers["braze"]["authorization"] == headers["hubspot"]["authorization"] == "Bearer site:token"
    assert headers["iterable"]["api-key"] == TOKEN
    assert "authorization" not in headers["slack"]
    assert all("webhook-signature" not in each for each in headers.values())


async def test_braze_takes_nothing_and_says_success():
    answer = b'{"message":"success","errors":[{"type":"The value for external_id was not a string"}]}'
    async with RawReceiver(whole(201, answer)) as receiver:
        refused = await posted(target(receiver.url, adapter=adapter_of("braze"), token=TOKEN))
    async with RawReceiver(whole(201, b'{"message":"success","events_processed":1}')) as receiver:
        taken = await posted(target(receiver.url, adapter=adapter_of("braze"), token=TOKEN))

    assert (refused.failure, taken.failure) == ("refused", None)
    assert "external_id" in refused.detail


async def test_what_is_no_alert_is_a_failure_and_nothing_is_sent():
    async with RawReceiver(whole(200)) as receiver:
        endpoint = target(receiver.url, adapter=adapter_of("klaviyo"), token=TOKEN)
        answer = await posted(endpoint, b'{"id":"a"}')

        assert receiver.requests == []
    assert answer.failure == "invalid"


async def posted(endpoint, body: bytes | None = None):
    async with Client(endpoint) as client:
        return await client.post("id-1", body or body_of("raised"), NOW_MS)


def target(url: str, **more: Any) -> Endpoint:
    networks = (ip_network("127.0.0.0/8"),)
    return Endpoint(name="crm", url=url, key=b"", networks=networks, timeout_s=5.0, **more)


URL = '[endpoints.crm]\nurl = "https://crm.example/"\n'


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('adapter = "klaviyo"', "e.toml:2: endpoints.crm.url: no token; set token_file or token_env"),
        ('adapter = "hubspot"\ntoken_env = "T"', "e.toml:3: endpoints.crm.adapter: hubspot needs event_name"),
        ('adapter = "mailchimp"', "e.toml:3: endpoints.crm.adapter: "),
        ('secret_env = "S"\ntoken_env = "T"', "e.toml:4: endpoints.crm.token_env: is of an adapter"),
        ('adapter = "braze"\ntoken_env = "NONE"', "token_env: the variable NONE is not set"),
        ('adapter = "braze"\ntoken_env = "TWO"', "token_env: holds a character that no header may hold"),
    ],
)
def test_faults_of_the_file_name_line_and_remedy(lines, fault, tmp_path):
    environ = {"T": "token", "S": "whsec_" + "A" * 40, "TWO": "a\nb"}
    with pytest.raises(EndpointsFileError) as refusal:
        parse_endpoints(URL + lines + "\n", "e.toml", tmp_path, environ, NOW_MS)

    assert fault in str(refusal.value)


def test_an_adapter_needs_no_secret_and_slack_no_token(tmp_path):
    text = URL + 'adapter = "slack"\n'
    (slack,) = parse_endpoints(text, "e.toml", tmp_path, {}, NOW_MS).by_name.values()

    assert slack.keys(NOW_MS) == ()
    headers, body = request_of(slack, "id", body_of("raised"), NOW_MS)
    assert set(headers) == {"content-type", "user-agent", "accept-encoding"}
    assert msgspec.json.decode(body)["text"].startswith("*Loyal customer at risk: new alert (")
