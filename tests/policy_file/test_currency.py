"""Currency and rates of a policy file: what may be written, and that they are part of its hash."""

from __future__ import annotations

import pytest

from stream.policy_file import PolicyFileError, parse_policy

EURO = 'currency = "EUR"\n'


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyFileError) as raised:
        parse_policy(text, "p.toml")
    return raised.value.lines()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            'currency = "eur"',
            "2: finance.currency: 'eur' is not allowed; allowed: a text of 1 to 3 ",
        ),
        ('currency = "EURO"', "2: finance.currency: 'EURO' is not allowed"),
        (
            'currency = "EUX"',
            "2: finance.currency: 'EUX' is no currency; allowed: a code of ISO 4217",
        ),
        (
            'rates = { USD = "0.92" }',
            "2: finance.rates: 1 USD in which currency? Name it as ",
        ),
        (
            f"{EURO}rates = {{ USD = 0.92 }}",
            "3: finance.rates.USD: 0.92 is not allowed; allowed: a text",
        ),
        (f'{EURO}rates = {{ USD = "0,92" }}', "3: finance.rates.USD: '0,92' is not allowed"),
        (f'{EURO}rates = {{ USD = "-1" }}', "3: finance.rates.USD: '-1' is not allowed"),
        (
            f'{EURO}rates = {{ USD = "0.00" }}',
            "3: finance.rates.USD: '0.00' is not allowed; allowed: from",
        ),
        (f'{EURO}rates = {{ USD = "1000000001" }}', "3: finance.rates.USD: '1000000001' is not allowed"),
        (f'{EURO}rates = {{ EUR = "1" }}', "3: finance.rates.EUR: EUR is the currency of this policy"),
        (f'{EURO}[finance.rates]\nUSD = "0.92"\nUSS = "1"', "5: finance.rates.USS: 'USS' is no currency; "),
        (
            f'{EURO}rates = {{ usd = "0.92" }}',
            "3: finance.rates.usd: the key 'usd' is not allowed",
        ),
        (f'{EURO}rates = "0.92"', "3: finance.rates: '0.92' is not allowed; allowed: a table"),
    ],
)
def test_a_currency_or_a_rate_that_cannot_be_is_a_fault(text, fault):
    (found,) = faults(f"[finance]\n{text}\n")

    assert found.startswith(f"p.toml:{fault}")


def test_currency_and_rates_are_part_of_the_hash_and_only_if_they_are_set():
    euros, rated = '[finance]\ncurrency = "EUR"\n', '[finance]\ncurrency = "EUR"\nrates = { USD = "%s" }\n'
    hashes = [parse_policy(text).hash for text in ("", euros, rated % "0.92", rated % "0.93")]

    assert len(set(hashes)) == 4
    assert hashes[0] == "sha256:a67e09da3fc9de19dc127a1fd0fbfa99f8a6f4c8c2eeda0814b2249b9edfef75", (
        "that of version 0.1.0: a policy that names no currency decides as before"
    )
    assert parse_policy(rated % "0.920") == parse_policy(rated % "00.92")
