"""Rows of version 1, of later versions and of another meaning: migrated when read, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import json

from stream.core.events.event import Event
from stream.core.facts.feedback import NOTES_KEPT
from stream.core.facts.profile import PROFILE_VERSION, Profile
from stream.core.facts.versions import NewerVersionError, OtherMeaningError
from stream.core.step import on_event
from stream.engine import EngineError, Exit, Peek
from stream.wire import decode_line
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import MODEL_KEY, LiveRow, StoredRow
from stream.worker.rows.stored import read_profile, read_row
from tests.support.builders import basis, bought, refunded
from tests.support.laws import assert_alike
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, Pipe
from tests.support.released import known_to_version_1

ROWS = Path(__file__).parent / "rows_0_1_0"
"""Rows as the program's version 0.1.0 wrote them (one a line), and the events that it had read."""
OLD_ROWS = ROWS.joinpath("rows.jsonl").read_bytes().splitlines()
CODEC = ProfileCodec({}, 1, live=False)
OF_THE_SHOP = ProfileCodec({}, 1, live=False, meaning="0a1b2c3d")


def customer_of(row: bytes) -> str:
    return not_none(json.decode(row, type=StoredRow).profile).customer


def folded_today() -> dict[str, Profile]:
    """The profiles that this version makes of the events that version 0.1.0 had read."""
    profiles: dict[str, Profile] = {}
    for line in ROWS.joinpath("events.jsonl").read_bytes().splitlines():
        event = decode_line(line)
        assert isinstance(event, Event)
        profiles[event.subject] = not_none(on_event(profiles.get(event.subject), event, basis()).profile)
    return profiles


def with_version(version: int, meaning: str = "", **changes: object) -> bytes:
    """A row of a customer, as a program of that version writes it."""
    profile = not_none(on_event(None, bought(0), basis()).profile)
    profile.version, profile.meaning = version, meaning
    row = json.decode(json.encode(StoredRow({NAMES.purchases: 1}, profile=profile)))
    row["profile"] |= changes
    return json.encode(row)


@pytest.mark.parametrize("row", OLD_ROWS, ids=map(customer_of, OLD_ROWS))
def test_a_row_of_version_1_has_the_facts_that_this_version_folds_from_its_events(row):
    profile = not_none(CODEC.decode_row(b"c", row).profile)

    wanted = folded_today()[profile.customer]
    assert profile.version == PROFILE_VERSION
    assert_alike(known_to_version_1(profile), known_to_version_1(wanted), "facts")
    for name in ("first_day", "last_day", "last_midnight_ms"):
        assert getattr(profile.buying.sums, name) == getattr(wanted.buying.sums, name)


@pytest.mark.parametrize("row", OLD_ROWS, ids=map(customer_of, OLD_ROWS))
def test_what_version_1_did_not_know_is_computed_from_what_it_kept_or_marked_as_unknown(row):
    profile = not_none(CODEC.decode_row(b"c", row).profile)
    wanted = folded_today()[profile.customer]
    sums, all_sums = profile.buying.sums, wanted.buying.sums

    if profile.buying.older is None:
        assert_alike(msgspec.to_builtins(sums), msgspec.to_builtins(all_sums), "sums")
    else:
        assert (sum(sums.seasons), sums.unknown_gaps) == (64, 70 - 64 - 1)
        assert 0 < sums.gap_log_sum < all_sums.gap_log_sum
        for name in ("month_orders", "month_minor"):  # of the oldest some orders are no longer kept
            whole = getattr(sums, name)[2:]
            assert whole == getattr(all_sums, name)[-len(whole) :]
    for name in ("month_counts", "month_sentiment"):
        found, folded = getattr(profile.feedback, name), getattr(wanted.feedback, name)
        assert found == (folded if profile.feedback.count <= NOTES_KEPT else folded[-len(found) :])
    assert profile.engagement.months == []
    assert profile.interests.currencies == wanted.interests.currencies
    newest_ms = max(profile.touch_at_ms, profile.judgement.judged_ms)
    assert profile.counted_from_ms == (0 if profile.erased_ms else newest_ms + 1)


@pytest.mark.parametrize("row", OLD_ROWS, ids=map(customer_of, OLD_ROWS))
def test_transport_and_judgement_of_a_row_of_version_1_stay(row):
    stored, live = json.decode(row, type=StoredRow), CODEC.decode_row(b"c", row)

    assert (live.applied, live.outbox, live.outbox_flush) == (
        stored.applied,
        stored.outbox,
        stored.outbox_flush,
    )
    assert not_none(live.profile).judgement == not_none(stored.profile).judgement
    timer_ms = not_none(stored.profile).next_review_ms
    assert CODEC.peek(row) == CODEC.peek(live.encode()) == Peek(timer_ms, stored.outbox_flush)


@pytest.mark.parametrize("row", OLD_ROWS, ids=map(customer_of, OLD_ROWS))
def test_a_migrated_row_is_written_and_read_again_as_it_is(row):
    live = CODEC.decode_row(b"c", row)
    written = live.encode()

    assert b'"version":2' in written
    assert written == LiveRow(json.decode(written, type=StoredRow)).encode()
    assert CODEC.decode_row(b"c", written).profile == live.profile


def test_a_new_customer_has_the_present_version():
    assert not_none(on_event(None, bought(0), basis()).profile).version == PROFILE_VERSION
    assert b'"version"' not in json.encode(Profile("c"))


@pytest.mark.parametrize(
    "row",
    [
        with_version(PROFILE_VERSION + 1),
        with_version(PROFILE_VERSION + 1, buying={"sums": "of another shape"}),
    ],
    ids=["readable", "of another shape"],
)
def test_a_row_of_a_later_version_stops_the_worker_and_is_never_set_aside(row):
    pipe = Pipe()
    pipe.lane.table.apply_changelog([(b"c", row, None)])
    with pytest.raises(EngineError, match="version 3, and this program knows versions up to 2") as stopped:
        pipe.lane.table.index()
    assert stopped.value.code is Exit.DATA_LOSS
    with pytest.raises(EngineError, match="start the version of the program that wrote it") as stopped:
        pipe.lane.get(b"c")
    assert stopped.value.code is Exit.DATA_LOSS
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize(
    ("codec", "row"),
    [
        (CODEC, with_version(PROFILE_VERSION, "0a1b2c3d")),
        (OF_THE_SHOP, with_version(PROFILE_VERSION)),
        (OF_THE_SHOP, with_version(PROFILE_VERSION, "ffffffff")),
        (OF_THE_SHOP, OLD_ROWS[0]),
    ],
    ids=["no zone any more", "a zone now", "another zone", "a zone now, row of version 1"],
)
def test_a_row_of_another_meaning_stops_the_worker_in_one_line_that_names_the_cut_over(codec, row):
    for ask in (codec.peek, lambda row: codec.decode_row(b"c", row)):
        with pytest.raises(EngineError) as stopped:
            ask(row)
        assert stopped.value.code is Exit.CONFIGURATION
        line = str(stopped.value)
        assert all(word in line for word in ("zone", "currency", "rates", "cut over", "runbook"))
        assert "\n" not in line


def test_a_row_of_the_same_meaning_is_peeked_at_without_reading_all_of_it():
    row = with_version(PROFILE_VERSION, "0a1b2c3d")

    assert OF_THE_SHOP._resting(row)
    assert CODEC._resting(with_version(PROFILE_VERSION))
    assert CODEC._resting(OLD_ROWS[0])
    assert not_none(OF_THE_SHOP.decode_row(b"c", row).profile).meaning == "0a1b2c3d"


def test_rows_without_a_profile_have_no_version():
    for row in (
        json.encode(StoredRow({NAMES.purchases: 7})),
        json.encode(StoredRow(models=[msgspec.Raw(b"{}")])),
    ):
        for codec in (CODEC, OF_THE_SHOP):
            assert codec.decode_row(MODEL_KEY, row).profile is None
            assert codec.peek(row).timer_ms is None


def test_lines_of_a_profiles_file_are_read_as_rows_are():
    profile = not_none(json.decode(OLD_ROWS[0], type=StoredRow).profile)
    assert read_profile(json.encode(profile)) == read_row(OLD_ROWS[0]).profile

    later = json.decode(json.encode(profile)) | {"version": 3, "buying": 7}
    with pytest.raises(NewerVersionError, match="version 3"):
        read_profile(json.encode(later))
    assert issubclass(OtherMeaningError, ValueError)


def test_a_refund_that_version_1_took_again_after_version_2_counts_once():
    profile = not_none(on_event(None, bought(0, 5_000, "a"), basis()).profile)
    back = refunded(1, "a", 900)
    on_event(profile, back, basis())
    stored = json.decode(json.encode(profile))
    del stored["version"]
    (key, (*as_version_1, _)) = next(iter(stored["buying"]["refunds"].items()))
    stored["buying"]["refunds"] = {key: as_version_1, back.data.refund_id: as_version_1}
    stored["buying"]["sums"]["refunded_minor"] = 1_800

    migrated = read_profile(json.encode(stored))

    assert migrated.buying.sums.refunded_minor == 900
    assert migrated.buying.refunds == profile.buying.refunds
