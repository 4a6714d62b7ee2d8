"""A model fitted to the topics is that of the file, and publishing it needs no restart of the worker."""

import pytest

from stream.core.units import DAY_MS
from stream.model_file import load_model
from stream.ops.publish import in_force_from_ms
from tests.support.kafka_shop import PARTITIONS, wait_until_read
from tests.support.shop import purchases, write_events


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_published_model_is_in_force_in_a_running_worker(worked, tmp_path):
    events = write_events(purchases(customers=400), tmp_path / "events.jsonl")
    model = tmp_path / "model.json"
    assert worked.run("send", str(events)).exit_code == 0
    wait_until_read(worked)

    status, report = worked.run_json("fit", "--from-kafka", "--out", str(model), "--publish")
    assert (status, report["published_partitions"]) == (0, PARTITIONS)
    wait_until_read(worked)
    again = worked.run("fit", "--from-profiles", "--out", str(tmp_path / "refit.json"))

    assert again.exit_code == 0, again.output
    fitted, refitted = load_model(model), load_model(tmp_path / "refit.json")
    assert refitted.process.r == pytest.approx(fitted.process.r, rel=1e-3)
    assert fitted.risk is not None
    assert refitted.risk == fitted.risk  # read from the profiles topic: the worker had taken it over
    from_file = worked.run("fit", str(events), "--out", str(tmp_path / "file.json"))
    assert from_file.exit_code == 0
    assert load_model(tmp_path / "file.json").process == fitted.process


def test_a_model_is_in_force_from_now_or_during_a_replay_from_the_newest_event():
    now_ms = 1_700_000_000_000

    assert in_force_from_ms(now_ms - 60_000, now_ms) == now_ms
    assert in_force_from_ms(now_ms - 400 * DAY_MS, now_ms) == now_ms - 400 * DAY_MS
