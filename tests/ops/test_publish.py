"""A model is fitted to the topics as to the file, and published to a running worker without a restart."""

import pytest

from stream.core.units import DAY_MS
from stream.model_file import load_model
from stream.ops.publish import in_force_from_ms
from tests.ops.conftest import PARTITIONS
from tests.ops.test_with_worker import wait_until_read, worked  # noqa: F401
from tests.support.shop import purchases, write_events


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_published_model_is_in_force_in_a_worker_that_was_already_running(worked, tmp_path):  # noqa: F811
    events = write_events(purchases(customers=400), tmp_path / "events.jsonl")
    model = tmp_path / "model.json"
    assert worked.run("send", str(events)).exit_code == 0
    wait_until_read(worked)

    status, told = worked.run_json("fit", "--from-kafka", "--out", str(model), "--publish")
    assert (status, told["published_partitions"]) == (0, PARTITIONS)
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


def test_a_model_comes_in_force_now_while_events_are_current_and_else_where_they_end():
    now_ms = 1_700_000_000_000

    assert in_force_from_ms(now_ms - 60_000, now_ms) == now_ms
    assert in_force_from_ms(now_ms - 400 * DAY_MS, now_ms) == now_ms - 400 * DAY_MS
