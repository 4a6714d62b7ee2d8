"""A policy file that was cut off, or mounted empty, is not the default policy in silence."""

import re

import pytest

from stream.policy_file.load import PolicyFileError, load_policy, parse_policy


@pytest.mark.parametrize(
    "text", ["", "\ufeff", "\n \n", "# margin = 0.5\n", "[finance]\n[churn_risk.hysteresis]\n"]
)
def test_a_file_that_sets_nothing_is_refused(tmp_path, text):
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(PolicyFileError, match=re.escape(f"{file}:1: sets nothing")):
        load_policy(file)


@pytest.mark.parametrize("text", ['id = "ours"', "[themes]\napp = []", "finance.margin = 0.5"])
def test_one_key_is_enough_for_a_policy_file(tmp_path, text):
    file = tmp_path / "policy.toml"
    file.write_text(text)

    assert load_policy(file) == parse_policy(text)
