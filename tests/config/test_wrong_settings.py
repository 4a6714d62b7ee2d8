"""A table of wrong values, the same for every setting: each is refused in one line, or it can be used."""

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.commands.worker import basis_of
from stream.config.environment import TYPES, SettingsError, load_settings, variable
from stream.config.settings import SECRETS, Settings
from stream.engine import EngineApp
from stream.metrics import Metrics
from stream.worker.engine_setup import engine_options
from stream.worker.monitoring.health import HealthServer
from stream.worker.rows.codec import ProfileCodec

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

NO_UTF8 = "\udcff"  # os.environ gives the byte 0xff like this
WRONG = [
    " ", "x\ny", "\x1b[31mred", "ünïcode 🙂", "9" * 400,
    "-1", "0", "nan", "inf", "1e999", "0x10", "1.5", "1_000",
    "/", ".", "..", "a" * 300, "a" * 64 + ".example", "a..b", NO_UTF8, "[red]", "/dev/null", "true", "null",
    "localhost:99999", "localhost:0", "[::1]:9092", "a..b:9092", ":9092", "host:9092,", "a" * 64 + ":9092",
    "ünïcode🙂:9092", "%s", "{}", "*",
]  # fmt: skip
FILES = {
    "bytes": bytes(range(256)),
    "text": b"hello\n",
    "empty": b"",
    "cut.pem": b"-----BEGIN CERTIFICATE-----\nMIIB",
    "long": b"x" * 100_000,
}
LOGIN = {"STREAM_SECURITY": "SASL_SSL", "STREAM_SASL_USERNAME": "u", "STREAM_SASL_PASSWORD": "p"}


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wrong")
    for name, held in FILES.items():
        (folder / name).write_bytes(held)
    return [*WRONG, str(folder), *(str(folder / name) for name in FILES)]


def around(name: str, value: str) -> dict[str, str]:
    """The environment with one wrong value, and what must be set for it to be used."""
    needed = LOGIN if name.startswith("sasl") else {}
    if name in {"ssl_cert_file", "ssl_key_file"}:
        needed = {"STREAM_SSL_CERT_FILE": value, "STREAM_SSL_KEY_FILE": value}
    if name.startswith("ssl"):
        needed = {"STREAM_SECURITY": "SSL", **needed}
    return {**needed, variable(name): value}


def open_everything(environ: dict[str, str]) -> list[str]:
    """What a start of a worker makes of the settings, up to the network; the lines of a refusal."""
    try:
        settings = load_settings(environ)
        basis_of(settings)
        options = engine_options(settings)
        quiet = {**options.producer, "log_level": 0}
        EngineApp(replace(options, producer=quiet), ProfileCodec({}, 1, live=False))
        asyncio.run(_serve(settings))
    except SettingsError as refusal:
        return refusal.problems
    except SystemExit:  # the policy or the model: basis_of has printed why
        return []
    return []


async def _serve(settings: Settings) -> None:
    server = HealthServer(Metrics().registry)
    await server.start(settings.http_host, 0)
    await server.close()


@pytest.mark.parametrize("name", TYPES)
def test_no_value_of_a_setting_ends_in_a_traceback(name: str, values: list[str]) -> None:
    for value in values:
        for line in open_everything(around(name, value)):
            assert line.startswith("STREAM_"), (value, line)
            assert line.isprintable(), (value, line)
    gc.collect()  # the producers of librdkafka, each with threads of its own


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_secret_file_ends_in_a_traceback(name: str, values: list[str]) -> None:
    for value in [each for each in values if each != NO_UTF8]:
        environ = {**LOGIN, variable(name) + "_FILE": value}
        for line in open_everything(environ):
            assert line.startswith("STREAM_"), (value, line)
            assert "hello" not in line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HTTP_HOST", "a" * 64 + ".example", "expected an IP address or a host name"),
        ("BROKERS", "kafka:99999", "the port of kafka:99999 is not between 1 and 65,535"),
        ("BROKERS", "a..b:9092", "a..b: expected an IP address or a host name"),
        ("SSL_CA_FILE", "text", "expected certificates in PEM form"),
        ("SASL_PASSWORD_FILE", "bytes", "what it holds is not UTF-8 text"),
        ("SASL_PASSWORD_FILE", "long", "it holds more than 65,536 bytes"),
        ("SASL_USERNAME", NO_UTF8, "is not UTF-8; expected text"),
        ("TOPIC_ALERTS", "..", "1 to 200 letters"),
        ("LOG_LEVEL", "in\x1bfo", "holds a control character"),
    ],
)
def test_the_line_names_variable_and_what_is_allowed(
    name: str, value: str, expected: str, values: list[str]
) -> None:
    named = {Path(each).name: each for each in values}
    with pytest.raises(SettingsError) as refusal:
        load_settings({"STREAM_" + name: named.get(value, value) if name.endswith("FILE") else value})

    (line,) = [each for each in refusal.value.problems if each.startswith(f"STREAM_{name} = ")]
    assert expected in line


def test_a_wrong_value_ends_the_command_with_2(values: list[str]) -> None:
    (text,) = [each for each in values if each.endswith("text")]

    answer = CliRunner().invoke(main, ["settings"], env={"STREAM_SSL_CA_FILE": text})

    assert answer.exit_code == 2
    assert answer.output.count("\n") == 1
