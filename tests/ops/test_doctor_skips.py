"""`stream doctor` says `skipped` for what it did not look at, never `ok`; and counts only what is there."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands import doctor
from stream.commands.main import main
from stream.core.facts.profile import Profile
from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView, GroupState
from stream.ops.doctor.examine import CHECKS, findings
from stream.worker.kafka.topics import ROLES
from stream.worker.rows.row import MODEL_KEY, StoredRow
from tests.support.cluster_views import NAMES, SETTINGS, Row, cluster

CHECK_NAMES = {
    *("broker", "topics", "partitions", "retention", "compaction", "copies", "sizes", "timestamps"),
    *("workers", "lag", "transactions", "keys", "contents", "clocks", "sources", "profiles", "dead letters"),
    *("currencies", "erasures"),
}


def levels(view: ClusterView) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in findings(view):
        found.setdefault(finding.check, set()).add(finding.level)
    return found


def test_on_an_empty_cluster_only_broker_and_workers_were_looked_at():
    found = levels(cluster())

    assert found.keys() == CHECK_NAMES
    assert {check for check, level in found.items() if "ok" in level} == {"broker", "workers"}
    assert found["topics"] == {"fault"}
    assert {check for check, level in found.items() if level == {"skipped"}} == CHECK_NAMES - {
        *("broker", "workers", "topics", "erasures")
    }
    assert all(finding.found for finding in findings(cluster()) if finding.level == "skipped")


def test_erasures_that_nothing_bars_are_noted_with_the_key_that_does():
    (bare,) = [one for one in findings(cluster()) if one.check == "erasures"]
    settings = msgspec.structs.replace(SETTINGS, erasure_key="a-key-for-tests-only")
    (keyed,) = [one for one in findings(cluster(settings=settings)) if one.check == "erasures"]

    assert bare.level == "note"
    assert "STREAM_ERASURE_KEY is not set" in bare.found
    assert "the same secret" in bare.remedy
    assert keyed.level == "ok"
    assert settings.erasure_key not in keyed.found


def test_topics_without_records_are_looked_at_and_records_are_not():
    found = levels(cluster(ROLES))

    skipped = {check for check, level in found.items() if level == {"skipped"}}
    assert skipped == {"keys", "contents", "clocks", "profiles", "dead letters", "currencies"}
    assert found["sources"] == {"note"}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_sound_on_some_topics_names_how_many_there_are(role):
    found = [one for one in findings(cluster((role,))) if one.level == "ok"]

    for finding in found:
        if finding.check in ("retention", "compaction", "copies", "sizes", "timestamps", "partitions"):
            assert "1 of " in finding.found, finding


def test_a_group_that_may_not_be_read_is_no_group_without_members():
    view = cluster(ROLES, group=GroupState(0, {}, "Group authorization failed"))
    found = {finding.check: finding for finding in findings(view)}

    for check in ("workers", "lag"):
        assert found[check].level == "skipped"
        assert "Group authorization failed" in found[check].found


@pytest.mark.parametrize(
    ("committed", "end", "level"), [({}, 0, "note"), ({}, 1, "fault"), ({("purchases", 0): 0}, 0, "fault")]
)
def test_a_group_without_members_is_a_fault_once_there_was_something_to_read(committed, end, level):
    ends = {(NAMES.purchases, 0): (end, end)}

    found = levels(cluster(ROLES, group=GroupState(0, committed), ends=ends))

    assert found["workers"] == {level}


def test_the_workers_own_marks_are_no_erasures():
    profile = msgspec.json.encode(StoredRow(profile=Profile(customer="c")))
    rows = (
        *[Row(b"\0writer", None)] * 9,
        Row(MODEL_KEY, msgspec.json.encode(StoredRow())),
        Row(b"c", profile),
        Row(b"d", None),
    )

    (finding,) = [one for one in findings(cluster(ROLES, rows)) if one.check == "profiles"]

    assert finding == ClusterFinding("profiles", "ok", "2 sampled rows, 1 of them erasures")


def test_a_row_of_a_later_version_is_a_fault_of_its_own_and_no_foreign_record():
    later = msgspec.json.encode(StoredRow(profile=Profile("c", 3)))
    rows = (Row(b"c", later), Row(b"d", msgspec.json.encode(StoredRow(profile=Profile("d")))))

    (finding,) = [one for one in findings(cluster(ROLES, rows)) if one.check == "profiles"]

    assert finding.level == "fault"
    assert "version 3, and this program knows versions up to 2" in finding.found
    assert "Rows of another version" in finding.remedy


def test_rows_of_the_workers_alone_are_nothing_to_look_at():
    found = levels(cluster(ROLES, (Row(b"\0writer", None), Row(b"\0writer", None))))

    assert found["profiles"] == found["keys"] == {"skipped"}


def test_the_command_counts_what_was_skipped_and_shows_why(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda settings: findings(cluster()))
    environment = {"STREAM_BROKERS": "kafka:9092"}

    shown = CliRunner().invoke(main, ["doctor"], env=environment).output
    only_faults = CliRunner().invoke(main, ["doctor", "--faults"], env=environment).output

    assert "skip  contents: no record on the inputs" in shown
    assert shown.splitlines()[-1] == f"9 faults in {len(CHECKS)} checks, 15 of them skipped"
    assert "skip " not in only_faults
