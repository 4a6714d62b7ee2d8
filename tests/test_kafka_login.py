"""Access tokens: asked for once, anew before they end; one line without any secret where there is none."""

import base64

import pytest
from aiokafka.errors import KafkaConnectionError
from click.testing import CliRunner
from faust.auth import OAuthCredentials

from stream.commands.main import main
from stream.config.environment import SettingsError, load_settings
from stream.engine.options import EngineOptions
from stream.kafka_causes import NoAnswerError, wait_for_kafka
from stream.kafka_login import ANSWER_BYTES_MAX, TokenError, TokenSource, librdkafka_login, token_source
from stream.worker.engine_setup import engine_options
from stream.worker.kafka.connection import aiokafka_settings, faust_credentials, librdkafka_settings
from tests.support.token_endpoint import CLIENT, CLIENT_SECRET, token_endpoint


@pytest.fixture
def endpoint():
    with token_endpoint() as running:
        yield running


def variables(url: str) -> dict[str, str]:
    return {
        "STREAM_SECURITY": "SASL_PLAINTEXT",
        "STREAM_SASL_MECHANISM": "OAUTHBEARER",
        "STREAM_OAUTH_TOKEN_URL": url,
        "STREAM_OAUTH_CLIENT_ID": CLIENT,
        "STREAM_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
    }


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source(endpoint, clock):
    return TokenSource(load_settings({**variables(endpoint.url), "STREAM_OAUTH_SCOPE": "kafka"}), clock)


def test_a_token_is_asked_for_by_client_credentials_as_rfc_6749_says(source, endpoint):
    token, ends_at_s = source()

    (asked,) = endpoint.asked
    login = base64.b64decode(asked.authorization.removeprefix("Basic ")).decode()
    assert login == "a+client:a+secret%3A+with+%2B+and+%25"
    assert asked.form == "grant_type=client_credentials&scope=kafka"
    assert (len(token.split(".")), ends_at_s) == (3, 1_000 + 3_600)


async def test_both_clients_of_kafka_share_one_token(source, endpoint):
    assert await source.provider.token() == source()[0]
    assert len(endpoint.asked) == 1


def test_a_token_is_renewed_when_four_fifths_of_its_life_are_over(source, endpoint, clock):
    source()
    clock.now_s += 2_879
    source()
    assert len(endpoint.asked) == 1

    clock.now_s += 1

    assert source()[1] == 1_000 + 2_880 + 3_600
    assert len(endpoint.asked) == 2


def test_while_the_endpoint_fails_the_old_token_is_given_out_until_it_ends(source, endpoint, clock):
    first = source()
    endpoint.status = 503
    clock.now_s += 3_599
    assert source() == first
    clock.now_s += 1

    with pytest.raises(TokenError, match="it answers 503"):
        source()
    endpoint.status = 200
    assert source()[1] == 1_000 + 3_600 + 3_600


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": 401, "body": b'{"error": "invalid_client"}'}, "STREAM_OAUTH_CLIENT_SECRET is wrong"),
        ({"status": 400, "body": b'{"error": "invalid_scope"}'}, "STREAM_OAUTH_SCOPE is not allowed"),
        ({"status": 400, "body": b'{"error": "\\u001b[31m"}'}, "it answers 400$"),
        ({"status": 500, "body": b"a page"}, "it answers 500$"),
        ({"status": 302}, "it answers 302$"),
        ({"body": b"no JSON"}, "no JSON object"),
        ({"body": b"[]"}, "no JSON object"),
        ({"body": b'{"a": "' + b"x" * ANSWER_BYTES_MAX + b'"}'}, "no JSON object"),
        ({"more": {"access_token": None}}, "no usable access_token"),
        ({"more": {"access_token": "two\nlines"}}, "no usable access_token"),
        ({"more": {"access_token": ""}}, "no usable access_token"),
        ({"more": {"token_type": "mac"}}, "not Bearer"),
        ({"more": {"token_type": None}}, "not Bearer"),
        ({"more": {"expires_in": None}}, "no expires_in"),
        ({"more": {"expires_in": 0}}, "no expires_in"),
        ({"more": {"expires_in": True}}, "no expires_in"),
        ({"more": {"expires_in": float("nan")}}, "no expires_in"),
        ({"more": {"expires_in": float("inf")}}, "no expires_in"),
        ({"more": {"expires_in": "an hour"}}, "no expires_in"),
    ],
)
def test_an_answer_that_is_no_token_is_one_line_without_a_secret(source, endpoint, change, expected):
    for name, value in change.items():
        setattr(endpoint, name, value)

    with pytest.raises(TokenError, match=expected) as raised:
        source()

    assert "\n" not in str(raised.value)
    assert CLIENT_SECRET not in str(raised.value)
    assert endpoint.url in str(raised.value)


def test_seconds_that_a_server_writes_as_text_are_read(source, endpoint):
    endpoint.more = {"expires_in": "60"}

    assert source()[1] == 1_060


def test_no_answer_is_one_line_too(clock):
    with token_endpoint() as gone:
        settings = load_settings(variables(gone.url))

    with pytest.raises(TokenError, match=r"no answer: .*refused"):
        TokenSource(settings, clock)()


async def test_for_aiokafka_it_is_a_connection_that_failed(clock):
    with token_endpoint() as gone:
        source = TokenSource(load_settings(variables(gone.url)), clock)

    with pytest.raises(KafkaConnectionError, match="no token from"):
        await source.provider.token()


def test_every_client_gets_the_source(endpoint):
    settings = load_settings(variables(endpoint.url))
    source = token_source(settings)
    options: EngineOptions = engine_options(settings)

    assert librdkafka_login(settings) == {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": source}
    assert librdkafka_settings(settings)["oauth_cb"] is source
    assert options.producer["oauth_cb"] is source
    assert options.security["oauth_cb"] is source, "recovery and look-ups need it as well"
    assert "sasl_oauth_token_provider" in aiokafka_settings(settings)
    assert isinstance(faust_credentials(settings), OAuthCredentials)
    assert CLIENT_SECRET not in repr(source) + repr(options)


def test_a_command_says_why_there_is_no_token_before_it_asks_kafka(endpoint):
    endpoint.status, endpoint.body = 401, b'{"error": "invalid_client"}'
    given = variables(endpoint.url)

    with pytest.raises(NoAnswerError, match="STREAM_OAUTH_CLIENT_ID or STREAM_OAUTH_CLIENT_SECRET is wrong"):
        wait_for_kafka(librdkafka_settings(load_settings(given)), 1)
    shown = CliRunner().invoke(main, ["topics", "check"], env={**given, "STREAM_BROKERS": "127.0.0.1:1"})

    assert shown.exit_code == 1
    assert len(shown.output.splitlines()) == 1
    assert "STREAM_OAUTH_CLIENT_SECRET is wrong" in shown.output
    assert CLIENT_SECRET not in shown.output


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"STREAM_OAUTH_TOKEN_URL": ""}, "STREAM_OAUTH_TOKEN_URL is not set: OAUTHBEARER needs it"),
        ({"STREAM_OAUTH_CLIENT_ID": ""}, "STREAM_OAUTH_CLIENT_ID is not set: OAUTHBEARER needs it"),
        ({"STREAM_OAUTH_CLIENT_SECRET": ""}, "STREAM_OAUTH_CLIENT_SECRET is not set: OAUTHBEARER needs it"),
        ({"STREAM_SASL_USERNAME": "u"}, "STREAM_SASL_USERNAME is set, but STREAM_SASL_MECHANISM is OAUTH"),
        ({"STREAM_SECURITY": "SSL"}, "STREAM_OAUTH_TOKEN_URL is set, but STREAM_SECURITY is not SASL_SSL"),
        ({"STREAM_OAUTH_TOKEN_URL": "http://idp.example/token"}, "expected https://host/path"),
        ({"STREAM_OAUTH_TOKEN_URL": "https://u:p@idp.example/token"}, "expected https://host/path"),
        ({"STREAM_OAUTH_TOKEN_URL": "https://idp.example/token?key=x"}, "expected https://host/path"),
        ({"STREAM_OAUTH_CA_FILE": "missing.pem"}, "STREAM_OAUTH_CA_FILE = 'missing.pem': no such readable"),
    ],
)
def test_settings_that_do_not_fit_are_named(change, expected):
    given = {**variables("https://idp.example/token"), **change}

    with pytest.raises(SettingsError) as raised:
        load_settings({name: text for name, text in given.items() if text})

    assert any(expected in line for line in raised.value.problems), raised.value.problems
    assert CLIENT_SECRET not in str(raised.value)


def test_a_secret_may_be_in_a_file_and_is_never_shown(tmp_path):
    (tmp_path / "secret").write_text(CLIENT_SECRET + "\n")
    given = variables("https://idp.example/token")
    del given["STREAM_OAUTH_CLIENT_SECRET"]
    given["STREAM_OAUTH_CLIENT_SECRET_FILE"] = str(tmp_path / "secret")

    shown = CliRunner().invoke(main, ["settings"], env=given)

    assert load_settings(given).oauth_client_secret == CLIENT_SECRET
    assert shown.exit_code == 0
    assert CLIENT_SECRET not in shown.output
