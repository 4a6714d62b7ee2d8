"""Messages that a program opened: no sign of life, found in exports, and counted in the summary."""

import pytest

from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import CASES, Imported

SENDGRID = CASES / "opened-by-machines" / "sendgrid.jsonl"
HEADER = "event,email,timestamp,{}\n"
ROWS = "open,ann@x.org,1760000000,{}\nopen,bob@x.org,1760000001,{}\nclick,bob@x.org,1760000002,{}\n"


def proposed(path):
    text = suggested_mapping(path, as_json=False)
    return text, parse_mapping(text, "proposed")


def test_a_proposal_for_sendgrid_has_the_column_of_machines_and_the_summary_their_number():
    text, mapping = proposed(SENDGRID)
    done = Imported(text, SENDGRID)
    opened = done.of("engagement.message_opened")
    machines = [event["subject"] for event in opened if event["data"].get("bot")]

    assert mapping.columns["bot"] == "sg_machine_open"
    assert set(machines) == {"a@example.com"}
    assert done.summary.as_dict()["by_programs"] == {"engagement.message_opened": len(machines)}
    (line,) = [one for one in cautions(mapping, done.summary) if "program" in one]
    assert line.startswith(
        f"{len(machines)} openings of messages were made by a program (as 'sg_machine_open' says)"
    )
    assert "count as no engagement" in line


@pytest.mark.parametrize("name", ["Machine Open", "is_bot", "Bot Click", "Apple Privacy Open", "machine"])
def test_names_of_other_mailing_tools_are_known(tmp_path, name):
    path = tmp_path / "events.csv"
    path.write_text(HEADER.format(name) + ROWS.format("True", "", "false"))

    text, mapping = proposed(path)

    assert mapping.columns["bot"] == name
    assert Imported(text, path).summary.by_programs.total() == 1


def test_a_column_whose_words_are_not_known_is_named_with_what_it_may_say(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(HEADER.format("bot") + ROWS.format("apple", "", "gmail"))

    text, mapping = proposed(path)

    assert "bot" not in mapping.columns
    assert "'bot' may say which messages a program opened (apple, gmail)" in text
    assert "[values.bot]" in text


def test_an_export_of_orders_has_no_such_column(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "order,email,date,total,machine\n1,ann@x.org,2026-01-01,5.00,1\n2,bob@x.org,2026-01-01,7.00,0\n"
    )

    assert "bot" not in proposed(path)[1].columns


def test_rows_of_overlapping_files_are_counted_once(tmp_path):
    text, _ = proposed(SENDGRID)
    once, twice = Imported(text, SENDGRID), Imported(text, SENDGRID, SENDGRID)

    assert once.summary.by_programs == twice.summary.by_programs
