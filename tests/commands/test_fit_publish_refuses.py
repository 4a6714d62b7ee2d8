"""`stream fit publish` refuses what workers would refuse, before it asks any broker."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.model.document import encode_model
from stream.model_file import default_model


def test_a_model_that_workers_would_refuse_is_not_published(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAM_BROKERS", "localhost:1")
    model = default_model()
    process = msgspec.structs.replace(model.process, a=1e-4, b=1e-4)
    unusable = msgspec.structs.replace(model, process=process, tables=(), version="")
    (tmp_path / "model.json").write_bytes(encode_model(unusable))

    run = CliRunner().invoke(main, ["fit", "publish", str(tmp_path / "model.json")])

    assert run.exit_code == 1
    assert "not published, as workers would refuse it: process: a or b is 0.0001" in run.stderr


@pytest.mark.parametrize("mode", ["shadow", "active"])
def test_a_file_that_is_no_policy_is_refused_before_kafka_is_asked(tmp_path, mode):
    (tmp_path / "policy.toml").write_bytes(b"\xff\n")

    answer = CliRunner().invoke(
        main,
        ["policy", "publish", str(tmp_path / "policy.toml"), "--mode", mode],
        env={"STREAM_BROKERS": "127.0.0.1:1"},
    )

    assert answer.exit_code == 2
    assert answer.output == f"{tmp_path / 'policy.toml'}:1: not UTF-8 text\n"


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (["policy", "check", "FILE"], 1),
        (["policy", "publish", "FILE", "--mode", "active"], 2),
        (["policy", "diff", "default", "FILE", "FILE"], 2),
        (["replay", "FILE", "--policy", "FILE"], 2),
        (["worker"], 2),
    ],
)
def test_a_policy_file_that_sets_nothing_is_refused_in_one_line(tmp_path, words, exit_code):
    file = tmp_path / "policy.toml"
    file.write_text("# to be written\n")

    answer = CliRunner().invoke(
        main,
        [str(file) if word == "FILE" else word for word in words],
        env={"STREAM_BROKERS": "127.0.0.1:1", "STREAM_POLICY": str(file)},
    )

    assert answer.exit_code == exit_code, answer.output
    assert answer.output.startswith(f"{file}:1: sets nothing")
    assert len(answer.output.splitlines()) == 1
