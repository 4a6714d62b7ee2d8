"""What a new kind of alert needs: each table that lacks an entry for a kind fails here and names the kind."""

from pathlib import Path

from stream.analysis.backtest import page, summary
from stream.contracts.export import next_version
from stream.contracts.registry import contracts
from stream.core.alerts.alert import ALERT_SCHEMA
from stream.core.alerts.reasons import ALERT_FORMS
from stream.core.judgement.rules import RULES
from stream.core.policy.policy import ALERT_KINDS, Policy
from stream.wording.alert import ALERT_NAMES, SCORE_MEANINGS

SCHEMAS = Path(__file__).parents[2] / "schemas"


def test_every_kind_is_a_section_of_the_policy():
    """Add a struct and a field to stream/core/policy/policy.py."""
    assert set(ALERT_KINDS) - set(Policy.__struct_fields__) == set()


def test_every_kind_has_a_rule_of_its_name_in_order_of_precedence():
    """Add the rule to RULES in stream/core/judgement/rules.py. Precedence is alphabetical (judge.py)."""
    assert [rule.__name__ for rule in RULES] == list(ALERT_KINDS) == sorted(ALERT_KINDS)


def test_every_kind_has_the_form_of_its_alerts():
    """Add it to ALERT_FORMS in stream/core/alerts/reasons.py."""
    assert set(ALERT_KINDS) - ALERT_FORMS.keys() == set()


def test_every_kind_has_words():
    """Add it to ALERT_NAMES and SCORE_MEANINGS in stream/core/alerts/wording.py."""
    assert set(ALERT_KINDS) - ALERT_NAMES.keys() == set()
    assert set(ALERT_KINDS) - SCORE_MEANINGS.keys() == set()


def test_every_kind_has_words_in_the_backtest():
    """Add it to ALERT_NAMES in stream/analysis/backtest/summary.py and to NAMES in page.py beside it."""
    assert set(ALERT_KINDS) - summary.ALERT_NAMES.keys() == set()
    assert set(ALERT_KINDS) - page.NAMES.keys() == set()


def test_alerts_name_the_version_of_their_schema():
    """After a change of the alert raise ALERT_VERSION in stream/core/policy/policy.py."""
    contract = next(each for each in contracts() if each.name == "alert")

    assert f"urn:customer-stream:alert:{next_version(SCHEMAS, contract)}" == ALERT_SCHEMA
