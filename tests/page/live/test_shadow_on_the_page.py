"""Which policy is in force and which is a shadow stands on the page, with what that would have raised."""

import json

import msgspec

from stream.page.live.reading_rows import RowReader
from stream.page.live.record import PageRecord
from stream.page.screens.view import View
from stream.page.store.sqlite import SqliteStore
from stream.page.web.pages import Pages
from stream.page.web.panes import PANES
from stream.policy_file.published import Mode, encode_policy
from stream.worker.rows.row import POLICY_KEY, PolicyEntry, StoredRow
from tests.support.alert_bodies import alert_body
from tests.support.builders import START_MS, basis
from tests.support.published_policies import bold

SHADOW_MS = START_MS + 86_400_000 * 31


def policy_row(*modes: Mode) -> PageRecord:
    entries = [
        PolicyEntry(place, mode, SHADOW_MS + place, msgspec.Raw(encode_policy(bold())), basis().policy.hash)
        for place, mode in enumerate(modes)
    ]
    row = msgspec.json.encode(StoredRow(policies=entries))
    return PageRecord("profiles", "p", 0, len(modes), POLICY_KEY, row)


def shadow_alert(customer: str, state: str, offset: int) -> PageRecord:
    body = json.loads(alert_body(customer, state, kind="churn_risk", at_ms=SHADOW_MS + 10))
    body["data"]["policy"]["hash"] = bold().hash
    return PageRecord("shadow", "s", 0, offset, customer.encode(), json.dumps(body).encode())


def read(*records: PageRecord) -> RowReader:
    reader = RowReader(basis(), {}, {})
    reader.batch(records, lambda: SHADOW_MS + 100)
    return reader


def test_a_shadow_is_named_with_its_day_and_what_it_would_have_raised():
    reader = read(
        policy_row("shadow"),
        shadow_alert("a", "raised", 0),
        shadow_alert("b", "raised", 1),
        shadow_alert("b", "cleared", 2),
    )
    in_force, shadow = reader.policies

    assert in_force.startswith(f"In force: {basis().policy.id} version 1 ")
    assert "by the settings of the workers" in in_force
    assert shadow.startswith("Shadow: bold version 2 ")
    assert "1 February 2024" in shadow
    assert "customer likely to leave: 2," in shadow
    assert "`stream policy shadow` says about whom" in shadow


def test_a_promoted_shadow_is_in_force_and_one_that_is_off_is_neither():
    (promoted,) = read(policy_row("shadow", "active")).policies
    (ended,) = read(policy_row("shadow", "off")).policies

    assert promoted.startswith("In force: bold version 2 ")
    assert "since 1 February 2024" in promoted
    assert ended.startswith(f"In force: {basis().policy.id} version 1 ")


def test_the_lines_stand_on_the_page_of_the_policy(tmp_path):
    lines = tuple(read(policy_row("shadow")).policies)
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    view = View(basis(), SHADOW_MS, "", has_alerts=True, policies=lines)
    with store.reading() as reading:
        text, status, _ = PANES["/policy"](Pages(view, None, None), reading, {})
    store.close()

    assert status == 200
    assert "Shadow: bold version 2" in text
    assert "In force: " in text
