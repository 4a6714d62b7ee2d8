import json

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import PurchaseCompleted
from stream.importing.datasets.cdnow import SAMPLE, cdnow_events
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.importing.event_order import event_order

SAMPLE_TEXT = """master sample date cds dollars
 00018 0002 19970104 2 29.73
 00004 0001 19970101 2 29.33
 00004 0001 19970118 0  0.00
 00021 0003 19970101 3 63.3
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / SAMPLE).write_text(SAMPLE_TEXT)
    return tmp_path


def test_lines_become_purchases_in_time_order_with_exact_cents(folder):
    purchases = [e for e in cdnow_events(sample=True, folder=folder) if isinstance(e, PurchaseCompleted)]

    assert [p.subject for p in purchases] == ["cdnow-00004", "cdnow-00021", "cdnow-00018", "cdnow-00004"]
    assert [p.data.total_minor for p in purchases] == [2933, 6330, 2973, 0]
    assert purchases[0].time.isoformat() == "1997-01-01T00:00:00+00:00"
    assert [p.data.products[0].quantity for p in purchases] == [2, 3, 2, 1]


def test_the_command_writes_the_events_and_counts_them(folder, tmp_path):
    out = tmp_path / "events.jsonl"
    answer = CliRunner().invoke(
        main, ["import", "cdnow-sample", "--path", str(folder), "--out", str(out), "--json"]
    )

    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["types"] == {"purchase.completed": 4}
    assert json.loads(out.read_bytes().splitlines()[0])["subject"] == "cdnow-00004"


def test_a_folder_without_the_file_is_one_readable_message(tmp_path):
    answer = CliRunner().invoke(
        main, ["import", "cdnow", "--path", str(tmp_path), "--out", str(tmp_path / "x.jsonl")]
    )

    assert answer.exit_code == 2
    assert "CDNOW_master.txt" in answer.output
    assert not (tmp_path / "x.jsonl").exists()


@pytest.mark.data
@pytest.mark.parametrize(
    ("sample", "purchases", "customers", "cents"),
    [(False, 69_659, 23_570, 250_031_563), (True, 6_919, 2_357, None)],
)
def test_the_published_files_give_the_published_numbers(sample, purchases, customers, cents):
    try:
        events = [event for event in cdnow_events(sample=sample) if isinstance(event, PurchaseCompleted)]
    except SourceUnavailableError as missing:
        pytest.skip(str(missing))

    assert len(events) == purchases
    assert len({e.id for e in events}) == purchases
    assert len({e.subject for e in events}) == customers
    assert cents is None or sum(e.data.total_minor for e in events) == cents
    assert events == sorted(events, key=event_order)
