"""Settings: valid ones are read, all wrong ones are reported together, with exit code 2."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.config.environment import DEFAULTS, TYPES, SettingsError, load_settings, variable
from stream.config.page import SECTIONS, settings_page
from stream.config.settings import SECRETS, Settings
from stream.worker.kafka.topics import ROLES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"


def problems(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"STREAM_{name}": text for name, text in environ.items()})
    return caught.value.problems


def test_an_empty_environment_gives_the_defaults():
    assert load_settings({}) == Settings()


def test_an_empty_variable_is_not_set():
    assert load_settings({"STREAM_HTTP_PORT": "", "STREAM_POLICY": ""}) == Settings()


def test_values_are_read_by_their_type():
    read = load_settings(
        {
            "STREAM_BROKERS": "a:1,b:2",
            "STREAM_FLUSH_INTERVAL_MS": "50",
            "STREAM_DEADLETTER_SHARE_MAX": "0.25",
            "STREAM_CLOCK": "EVENT",
            "STREAM_SECURITY": "ssl",
        }
    )

    assert (read.brokers, read.flush_interval_ms, read.deadletter_share_max) == ("a:1,b:2", 50, 0.25)
    assert (read.clock, read.security) == ("event", "SSL")


@pytest.mark.parametrize("name", ["HTTP_PORT=0", "HTTP_PORT=65535", "DEADLETTER_SHARE_MAX=1", "PARTITIONS=1"])
def test_the_limits_themselves_are_allowed(name):
    variable_name, _, text = name.partition("=")

    assert load_settings({"STREAM_" + variable_name: text})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("HTTP_PORT", "65536", "a whole number, 0 to 65,535; the default is 6066"),
        ("HTTP_PORT", "http", "a whole number, 0 to 65,535; the default is 6066"),
        ("FLUSH_INTERVAL_MS", "0.5", "a whole number, 10 to 60,000; the default is 5000"),
        ("DEADLETTER_SHARE_MAX", "nan", "a number, 0 to 1; the default is 0.5"),
        ("CLOCK", "sun", "one of wall, event; the default is wall"),
        ("BROKERS", "kafka", "host:port, several separated by commas, or embedded"),
        ("TOPIC_ALERTS", "my alerts", "1 to 200 letters"),
        ("POLICY", "no-such.toml", "no such readable file"),
        ("REPLICATION", "0", "expected 1 to 10, or -1"),
    ],
)
def test_a_wrong_value_is_one_line_with_variable_value_and_what_is_allowed(name, text, expected):
    found = problems(**{name: text})

    assert len(found) == 1
    assert found[0].startswith(f"STREAM_{name} = ")
    assert text in found[0]
    assert expected in found[0]


def test_all_problems_are_reported_together():
    found = problems(HTTP_PORT="x", CLOCK="sun", SECURITY="SASL_SSL", REPLICATION="0")

    assert {line.split()[0] for line in found} == {
        "STREAM_HTTP_PORT",
        "STREAM_CLOCK",
        "STREAM_SASL_USERNAME",
        "STREAM_SASL_PASSWORD",
        "STREAM_REPLICATION",
    }


def test_a_misspelt_setting_is_reported_and_other_variables_are_not():
    assert problems(BROKER="a:1") == ["STREAM_BROKER is not a setting; did you mean STREAM_BROKERS?"]
    assert load_settings({"STREAM_SERVICE_HOST": "10.0.0.1", "STREAM_TEST_REQUIRE": "kafka"}) == Settings()


def test_half_a_login_and_half_a_certificate_are_reported(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("")

    assert problems(SASL_USERNAME="u")[0].startswith("STREAM_SASL_USERNAME is set, but STREAM_SECURITY")
    assert problems(SSL_KEY_FILE=str(key)) == [
        "STREAM_SSL_CERT_FILE and STREAM_SSL_KEY_FILE belong together: set both or none"
    ]


def test_two_uses_of_one_topic_are_reported():
    found = problems(TOPIC_ALERTS="customers.profiles.v1")

    assert found == ["STREAM_TOPIC_ALERTS = 'customers.profiles.v1': that is already STREAM_TOPIC_PROFILES"]


def test_a_secret_may_come_from_a_file_and_is_never_shown(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hush\n")
    environ = {
        "STREAM_SECURITY": "SASL_SSL",
        "STREAM_SASL_USERNAME": "u",
        "STREAM_SASL_PASSWORD_FILE": str(secret),
    }

    read = load_settings(environ)
    shown = CliRunner().invoke(main, ["settings", "--json"], env=environ)

    assert read.sasl_password == "hush"
    assert "hush" not in repr(read) + shown.output
    assert json.loads(shown.output)["STREAM_SASL_PASSWORD"] == "***"


def test_a_missing_secret_file_is_reported():
    assert "gone" in problems(SASL_PASSWORD_FILE="gone")[0]


def test_the_command_ends_with_2_and_one_line_per_problem():
    answer = CliRunner().invoke(main, ["settings"], env={"STREAM_HTTP_PORT": "x", "STREAM_CLOCK": "sun"})

    assert answer.exit_code == 2
    assert len(answer.output.splitlines()) == 2
    assert "Traceback" not in answer.output


def test_the_command_shows_what_was_set():
    answer = CliRunner().invoke(main, ["settings"], env={"STREAM_HTTP_PORT": "7000"})

    assert [line for line in answer.output.splitlines() if line.endswith("(set)")] == [
        line for line in answer.output.splitlines() if line.startswith("STREAM_HTTP_PORT ")
    ]


def test_docs_settings_md_is_up_to_date():
    assert PAGE.read_text() == settings_page(), "stream settings --markdown > docs/settings.md"


def test_every_setting_has_a_row_and_every_section_begins_with_a_setting():
    assert all(f"| `{variable(name)}` |" in settings_page() for name in TYPES)
    assert set(SECTIONS) <= set(TYPES)
    assert set(TYPES) >= SECRETS
    assert next(iter(SECTIONS)) == next(iter(TYPES))


def test_the_defaults_expose_nothing_to_the_network():
    assert DEFAULTS.http_host == "127.0.0.1"
    assert DEFAULTS.guarantee == "at_least_once"


def test_every_setting_is_used():
    """Topic names are read by role: `topic_{role}`."""
    modules = [path for path in (ROOT / "stream").rglob("*.py") if path.name != "settings.py"]
    code = "\n".join(path.read_text() for path in modules)
    unused = {name for name in TYPES if not re.search(rf"\.{name}\b", code)}

    assert unused - {f"topic_{role}" for role in (*ROLES, "view")} == set()
