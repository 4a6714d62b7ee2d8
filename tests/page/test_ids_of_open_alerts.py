"""What somebody says of an alert on the page goes out under the id by which every other program knows it."""

import msgspec
import pytest

from stream.core.alerts.alert import Alert
from stream.core.judgement.basis import Basis
from stream.model_file import default_model
from stream.page.entries import OpenEntry
from stream.page.screens.open_list import named_alert
from stream.page.screens.view import View

decode = msgspec.json.Decoder(Alert).decode


@pytest.fixture
def reading(shop):
    with shop[0].reading() as reading:
        yield reading


def opening_ids(reading) -> dict[tuple[str, str, int], str]:
    """Customer, kind and episode -> the id of the last alert that said that it is open."""
    sent = [decode(body) for (body,) in reading.rows("SELECT body FROM alerts ORDER BY customer, sequence")]
    return {
        (alert.subject, alert.data.kind, alert.data.episode.n): alert.id
        for alert in sent
        if alert.data.state in ("raised", "escalated")
    }


@pytest.mark.parametrize("version", [1, 2])
def test_an_open_alert_has_the_id_under_which_it_was_sent(reading, shop, version):
    """Also one that was severe when it was raised, and once another version of the policy is in force."""
    view, sent = shop[1], opening_ids(reading)
    policy = msgspec.structs.replace(view.basis.policy, version=version)
    later = View(Basis(policy, default_model()), view.as_of_ms, "", has_alerts=True)
    columns = ", ".join(OpenEntry.__struct_fields__)
    entries = [OpenEntry(*row) for row in reading.rows(f"SELECT {columns} FROM open_alerts")]

    shown = {
        (entry.customer, entry.kind, entry.episode): named_alert(reading, entry, later).alert_id
        for entry in entries
    }

    assert len(shown) > 10
    assert any(entry.urgent for entry in entries)
    assert shown == {key: sent[key] for key in shown}
