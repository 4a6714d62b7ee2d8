import json

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.demo.run import demo_events
from stream.wire import encode_event


@pytest.mark.data
def test_the_events_of_the_demo_are_written_for_stream_send_and_nothing_is_played(tmp_path):
    result = CliRunner().invoke(
        main, ["demo", "--days", "3", "--events", str(tmp_path / "days.jsonl"), "--json"]
    )

    assert result.exit_code == 0, result.output
    lines = (tmp_path / "days.jsonl").read_bytes().splitlines()
    assert lines == [encode_event(event) for event in demo_events(1, 3)]
    assert json.loads(result.stdout)["events"] == len(lines) > 0
