"""The endpoints file: what it gives, and every fault at once with its line, quoting no secret."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.policy.policy import ALERT_KINDS
from stream.core.units import DAY_MS, MINUTE_MS
from stream.deliver.endpoints.file import EndpointsFileError, load_endpoints, parse_endpoints
from stream.deliver.plan.admission import Filter
from stream.deliver.plan.contact import Budget
from stream.deliver.plan.tokens import Rate
from stream.policy_file import default_policy

NOW_MS = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1_000)
KEY, OLD = b"k" * 24, b"o" * 32
SECRET, OLD_SECRET = ("whsec_" + base64.b64encode(key).decode() for key in (KEY, OLD))
ENVIRON = {"CRM_SECRET": SECRET, "CRM_OLD": OLD_SECRET, "WRONG": "hunter2", "EMPTY": ""}
CRM = '[endpoints.crm]\nurl = "https://crm.example/hooks"\nsecret_env = "CRM_SECRET"\n'
FULL = """
zone = "Europe/Berlin"
late_max = "1d"
keep = "60d"

[endpoints.crm]
url = "https://crm.example:8443/hooks?source=stream"
secret_file = "crm.secret"
previous_secret_env = "CRM_OLD"
previous_until = "2026-12-05T12:00Z"
kinds = ["at_risk_loyal", "churn_risk"]
tiers = ["gold", "platinum"]
states = ["raised", "cleared"]
arms = ["treated"]
at_stake_min_minor = 5000
order = "none"
concurrency = 4
rate_per_minute = 600
rate_burst = 20
quiet_hours = "21:00-08:00"
timeout = "5s"

[endpoints.inside]
url = "http://10.1.2.3/alerts"
secret_env = "CRM_SECRET"
allow_http = true
allow_networks = ["10.1.0.0/16", "fd00::/8"]
"""


def parsed(text, tmp_path):
    return parse_endpoints(text, "e.toml", tmp_path, ENVIRON, NOW_MS)


def faults(text, tmp_path):
    with pytest.raises(EndpointsFileError) as refusal:
        parsed(text, tmp_path)
    return str(refusal.value).splitlines()


def test_what_a_file_gives(tmp_path):
    (tmp_path / "crm.secret").write_text(SECRET + "\n")
    (tmp_path / "e.toml").write_text(FULL)

    endpoints = load_endpoints(tmp_path / "e.toml", ENVIRON, NOW_MS)
    crm, inside = endpoints.by_name["crm"], endpoints.by_name["inside"]

    assert (endpoints.late_max_ms, endpoints.keep_ms) == (DAY_MS, 60 * DAY_MS)
    kinds, tiers, states = ("at_risk_loyal", "churn_risk"), ("gold", "platinum"), ("raised", "cleared")
    assert crm.wanted == Filter(kinds, tiers, states, ("treated",), 5_000)
    assert crm.url == "https://crm.example:8443/hooks?source=stream"
    assert (crm.ordered, crm.concurrency, crm.rate, crm.timeout_s) == (False, 4, Rate(600, 20), 5.0)
    assert crm.quiet is not None
    assert crm.quiet.over_ms(NOW_MS + 10 * 60 * MINUTE_MS) == NOW_MS + 19 * 60 * MINUTE_MS
    assert (inside.ordered, inside.concurrency, inside.rate, inside.quiet) == (True, 16, None, None)
    assert inside.networks
    assert SECRET not in repr(endpoints)


def test_while_a_secret_is_replaced_both_sign(tmp_path):
    (tmp_path / "crm.secret").write_text(SECRET)
    crm = parsed(FULL, tmp_path).by_name["crm"]

    assert crm.keys(NOW_MS) == (KEY, OLD)
    assert crm.keys(NOW_MS + 5 * DAY_MS) == (KEY,)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ("", "e.toml:1: endpoints is missing: a table"),
        ("endpoints = {}", "e.toml:1: endpoints: has 0 entries; allowed: 1 to 100"),
        ("[endpoints.crm]\n", "e.toml:1: endpoints.crm: url is missing"),
        (
            CRM + 'kinds = ["churn"]',
            "e.toml:4: endpoints.crm.kinds[0]: 'churn' is not allowed; allowed: \"at_risk",
        ),
        (
            "[budget]\n" + CRM,
            "e.toml:1: budget: contacts_max is missing: a whole number from 1 to 1000",
        ),
        ("[budget]\ncontacts_max = 0\n" + CRM, "e.toml:2: budget.contacts_max: 0 is not allowed; allowed: a"),
        (
            '[budget]\ncontacts_max = 1\nwindow = "1m"\n' + CRM,
            "e.toml:3: budget.window: '1m' is too short; allowed: at least 1h",
        ),
        ("[budgets]\n" + CRM, "e.toml:1: budgets: unknown key; did you mean budget?"),
        (
            CRM + 'consent = "yes"',
            "e.toml:4: endpoints.crm.consent: 'yes' is not allowed; allowed: \"granted\" or",
        ),
        (CRM + "contact = 1", "e.toml:4: endpoints.crm.contact: 1 is not allowed; allowed: true or false"),
        (
            CRM + 'arms = ["held_out"]',
            "e.toml:4: endpoints.crm.arms[0]: 'held_out' is not allowed; allowed: \"treated",
        ),
        (
            CRM + 'order = "fifo"',
            "e.toml:4: endpoints.crm.order: 'fifo' is not allowed; allowed: \"customer\" or",
        ),
        (
            CRM + "concurency = 4",
            "e.toml:4: endpoints.crm.concurency: unknown key; did you mean concurrency?",
        ),
        (
            CRM + "concurrency = 0",
            "e.toml:4: endpoints.crm.concurrency: 0 is not allowed; allowed: a whole nu",
        ),
        (CRM + 'timeout = "2h"', "e.toml:4: endpoints.crm.timeout: '2h' is too long; allowed: at most 1m"),
        (
            CRM + 'quiet_hours = "9pm-8am"',
            "e.toml:4: endpoints.crm.quiet_hours: '9pm-8am' is not allowed; allo",
        ),
        (
            CRM + 'quiet_hours = "08:00-08:00"',
            "e.toml:4: endpoints.crm.quiet_hours: '08:00-08:00' is not allow",
        ),
        (
            CRM + 'allow_networks = ["10.1.0.1/16"]',
            "e.toml:4: endpoints.crm.allow_networks: '10.1.0.1/16' is no",
        ),
        (
            CRM + 'secret_file = "x"',
            "e.toml:3: endpoints.crm.secret_env: secret_file is set too; allowed: one",
        ),
        (CRM + 'previous_secret_env = "CRM_OLD"', "e.toml:2: endpoints.crm.url: previous_until is missing"),
        (
            CRM + 'previous_until = "2026-12-05"',
            "e.toml:2: endpoints.crm.url: previous_secret_file or previous",
        ),
        (
            CRM + 'client_cert_file = "c.pem"',
            "e.toml:4: endpoints.crm.client_cert_file: client_cert_file and c",
        ),
        (
            CRM + 'ca_file = "none.pem"',
            "e.toml:4: endpoints.crm.ca_file: cannot be used (PEM, no passphrase): No",
        ),
        ('zone = "Mars"\n' + CRM, "e.toml:1: zone: 'Mars' is no time zone"),
        ('zone = "../etc/passwd"\n' + CRM, "e.toml:1: zone: '../etc/passwd' is no time zone"),
        (
            CRM.replace("CRM_SECRET", "NONE"),
            "e.toml:3: endpoints.crm.secret_env: the variable NONE is not set",
        ),
        (
            CRM.replace("CRM_SECRET", "EMPTY"),
            "e.toml:3: endpoints.crm.secret_env: the variable EMPTY is not se",
        ),
        (
            CRM.replace("CRM_SECRET", "WRONG"),
            "e.toml:3: endpoints.crm.secret_env: a secret begins with whsec_",
        ),
        (
            CRM.replace("secret_env", "secret_file"),
            "e.toml:3: endpoints.crm.secret_file: No such file or direc",
        ),
        (
            "[endpoints.crm]\nurl = 'https://x.example'",
            "e.toml:2: endpoints.crm.url: no secret; set secret_fil",
        ),
        ("[endpoints.crm\n", "e.toml:1: not TOML"),
        (
            "[endpoints.CRM]\nurl = 'https://x.example'",
            "e.toml:1: endpoints.CRM: the key 'CRM' is not allowed",
        ),
    ],
)
def test_a_fault_has_its_line_and_says_what_is_allowed(changed, fault, tmp_path):
    found = faults(changed, tmp_path)

    assert len(found) == 1
    assert found[0].startswith(fault)
    assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://crm.example/", "use https"),
        ("ftp://crm.example/", "allowed: https://host/path"),
        ("crm.example/hooks", "allowed: https://host/path"),
        ("https:///hooks", "no host"),
        ("https://user:hunter2@crm.example/", "user name"),
        ("https://crm.example/#part", "#fragment"),
        ("https://crm.example:99999/", "no URL"),
        ("https://crm.example:0/", "port 0"),
        ("https://crm example/", "space"),
        ("https://crm.exämple/", "beyond ASCII"),
        ("https://[::1/", "no URL"),
        ("https://-crm-.example/", "expected an IP address or a host name"),
        ("https://127.0.0.1/", 'a loopback address; allow it with allow_networks = ["127.0.0.1"]'),
        ("https://[::1]/", 'a loopback address; allow it with allow_networks = ["::1"]'),
        ("https://[fe80::1%25eth0]/", 'allow it with allow_networks = ["fe80::1"]'),
        ("https://[::ffff:10.0.0.1]/", 'allow it with allow_networks = ["10.0.0.1"]'),
        ("https://169.254.169.254/latest", "metadata service of a cloud, which is never reached"),
    ],
)
def test_a_url_that_must_not_be_used_is_refused(url, why, tmp_path):
    found = faults(CRM.replace("https://crm.example/hooks", url), tmp_path)

    assert len(found) == 1
    assert found[0].startswith("e.toml:2: endpoints.crm.url: ")
    assert why in found[0]
    assert "hunter2" not in found[0]


def test_all_faults_are_reported_at_once_in_the_order_of_their_lines(tmp_path):
    text = 'zone = "Mars"\n' + CRM.replace("https", "http") + 'quiet_hours = "x"\nca_file = "none"\n'

    assert [line.split(":")[1] for line in faults(text, tmp_path)] == ["1", "3", "5", "6"]


def test_a_secret_that_was_replaced_long_ago_signs_no_more(tmp_path):
    text = CRM + 'previous_secret_env = "CRM_OLD"\nprevious_until = "2026-11-01"'

    assert parsed(text, tmp_path).by_name["crm"].keys(NOW_MS) == (KEY,)


def test_a_secret_is_replaced_within_seven_days(tmp_path):
    text = CRM + 'previous_secret_env = "CRM_OLD"\nprevious_until = "2026-12-08"'

    assert "more than seven days ahead" in faults(text, tmp_path)[0]


@given(st.text(max_size=200))
def test_any_text_is_refused_in_words(text):
    with pytest.raises(EndpointsFileError):
        parse_endpoints(text, "e.toml", None, ENVIRON, NOW_MS)  # type: ignore[arg-type]


def test_deliveries_are_kept_for_longer_than_an_episode_can_last(tmp_path):
    policy = default_policy()
    longest_ms = max(getattr(policy, kind).hysteresis.expire_ms for kind in ALERT_KINDS)

    assert parsed(CRM, tmp_path).keep_ms > longest_ms


def test_the_contact_budget_and_who_is_contacted(tmp_path):
    found = parsed(
        '[budget]\ncontacts_max = 2\nwindow = "14d"\n' + CRM + 'contact = false\nconsent = "granted"',
        tmp_path,
    )

    assert found.budget == Budget(2, 14 * DAY_MS)
    assert (found.by_name["crm"].contact, found.by_name["crm"].consent) == (False, "granted")
    assert found.held_to_budget() == []
