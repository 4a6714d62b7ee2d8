"""The model record: round trip, its version, and clear refusal of what cannot be used."""

import msgspec
import pytest

from stream.core.model.document import (
    ModelError,
    check_model,
    content_version,
    decode_model,
    encode_model,
    sealed,
)
from stream.core.model.record import MidRanks
from stream.model_file import default_model, load_model

MODEL = default_model()


def test_a_model_survives_the_way_to_disk_and_back(tmp_path):
    (tmp_path / "model.json").write_bytes(encode_model(MODEL))

    again = load_model(tmp_path / "model.json")

    assert encode_model(again) == encode_model(MODEL)


def test_the_version_is_the_hash_of_everything_else():
    other = sealed(msgspec.structs.replace(MODEL, name="other"))

    assert MODEL.version == content_version(MODEL)
    assert other.version != MODEL.version


def test_an_edited_model_is_refused():
    with pytest.raises(ModelError, match="it was edited"):
        decode_model(encode_model(msgspec.structs.replace(MODEL, name="other")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": {"min_ms": 10, "max_ms": 9}}, "horizon: min_ms"),
        ({"process": {"kind": "bgnbd", "r": 0, "alpha": 1, "a": 1, "b": 1}}, r"\$.process.r"),
        ({"process": {"kind": "poisson"}}, r"\$.process"),
        (
            {"process": {"kind": "bgnbd", "r": 1e-9, "alpha": 1, "a": 1, "b": 1}},
            "process.r: 1e-09 is not from",
        ),
        ({"process": {"kind": "bgnbd", "r": 1, "alpha": 1e300, "a": 1, "b": 1}}, "process.alpha"),
        (
            {"process": {"kind": "bgnbd", "r": 1, "alpha": 1, "a": 1, "b": 1, "unit_ms": 2**62}},
            "process.unit_ms",
        ),
        ({"horizon": {"factor": 1e300}}, "horizon.factor"),
        ({"prior": {"repeat_share": 1, "gap_days": 1e30, "first_value_minor": 1}}, "prior.gap_days"),
        ({"spend": {"p": 1, "q": 0.9, "v": 1}}, "spend.q"),
        ({"spend": {"p": 1, "q": 2, "v": 1, "vv": 1}}, "vv"),
        ({"thresholds": {"raise_at": 0.5, "clear_at": 0.6, "learnt": ""}}, "clear_at must not be above"),
    ],
)
def test_an_unusable_model_is_refused_by_the_name_of_the_field(change, message):
    document = {**msgspec.to_builtins(MODEL), "version": "", **change}

    with pytest.raises(ModelError, match=message):
        decode_model(msgspec.json.encode(document))


def test_nan_is_refused():
    broken = msgspec.structs.replace(MODEL.process, r=float("nan"))

    with pytest.raises(ModelError, match=r"model\.process\.r"):
        check_model(msgspec.structs.replace(MODEL, process=broken))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none.json: No such file"):
        load_model(tmp_path / "none.json")


def test_tied_customers_share_one_mid_rank():
    ranks = MidRanks(values=(0.0, 1.0, 5.0), ranks=(0.3, 0.7, 0.9))

    assert [ranks.rank(value) for value in (-1, 0, 0.5, 1, 3, 5, 9)] == pytest.approx(
        [0.3, 0.3, 0.5, 0.7, 0.8, 0.9, 0.9]
    )
    assert [ranks.quintile(value) for value in (0, 1, 5)] == [2, 4, 5]


TABLE = MODEL.tables[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log_age_start": 1e308}, "a logarithm is beyond 100"),
        ({"log_age_step": 1e308}, "tables.log_age_step"),
        ({"rows": (*TABLE.rows[:-1], (*TABLE.rows[-1][:-1], -1e308))}, "a logarithm is beyond 100"),
        ({"frequencies": (*TABLE.frequencies[:-1], 0)}, "frequencies must rise from 0"),
        ({"frequencies": tuple(each + 1 for each in TABLE.frequencies)}, "frequencies must rise from 0"),
    ],
)
def test_a_table_that_would_overflow_in_a_judgement_is_refused(change, message):
    table = msgspec.structs.replace(TABLE, **change)

    with pytest.raises(ModelError, match=message):
        check_model(msgspec.structs.replace(MODEL, tables=(table,)))


@pytest.mark.parametrize("content", [b'{"name":"\xff"}', b"[" * 100_000, b'{"tables":' + b"[" * 100_000, b""])
def test_bytes_that_are_no_model_are_refused_with_a_reason(content):
    with pytest.raises(ModelError, match="not a model: "):
        decode_model(content)
