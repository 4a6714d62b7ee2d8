"""Signatures are those of Standard Webhooks: a published example, and the official library as the judge."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.deliver.plan.signature import SecretError, secret_key, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEYS = st.binary(min_size=24, max_size=64)
BODIES = st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers()).map(
    lambda content: json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
)


def secret_of(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_the_example_of_the_specification():
    headers = signed_headers(
        [secret_key(SECRET)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_123, b'{"test": 2432232314}'
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.lists(KEYS, min_size=1, max_size=3, unique=True), st.uuids(), BODIES)
def test_a_receiver_with_any_of_the_secrets_accepts_the_message(keys, webhook_id, body):
    library = pytest.importorskip("standardwebhooks", reason="the oracle is not installed: make setup")
    headers = signed_headers(keys, str(webhook_id), int(time.time() * 1_000), body)

    for key in keys:
        library.Webhook(secret_of(key)).verify(body, headers)


@given(KEYS, KEYS, BODIES)
def test_a_receiver_with_another_secret_or_another_body_refuses_it(key, other, body):
    library = pytest.importorskip("standardwebhooks", reason="the oracle is not installed: make setup")
    headers = signed_headers([key], "id", int(time.time() * 1_000), body)

    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(secret_of(key)).verify(body + b" ", headers)
    if key != other:
        with pytest.raises(library.WebhookVerificationError):
            library.Webhook(secret_of(other)).verify(body, headers)


@given(KEYS)
def test_a_secret_is_read_with_and_without_padding(key):
    assert secret_key(secret_of(key)) == secret_key(secret_of(key).rstrip("=")) == key


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with whsec_"),
        ("whsec_", "0 bytes; allowed: 24 to 64"),
        ("whsec_c2hvcnQ=", "5 bytes"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "65 bytes"),
        ("whsec_not base64!", "not base64"),
        ("whsec_ä", "not base64"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret, why):
    with pytest.raises(SecretError, match=why) as refusal:
        secret_key(secret)

    assert secret.removeprefix("whsec_") == "" or secret.removeprefix("whsec_") not in str(refusal.value)
