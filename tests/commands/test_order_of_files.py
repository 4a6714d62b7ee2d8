"""Commands that read several files of events: the order in which they are named does not change a byte."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.wire import encode_event

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A shop whose times are whole days, spread over two files at random."""
    folder, random = tmp_path_factory.mktemp("shop"), Random(3)
    made = Shop(seed=11, customers=60, days=300)
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    for event in shop_events(made, planned_lives(made)):
        day = event.time.replace(hour=0, minute=0, second=0, microsecond=0)
        random.choice(parts).append(encode_event(msgspec.structs.replace(event, time=day)))
    names = (folder / "a.jsonl", folder / "b.jsonl")
    for name, lines in zip(names, parts, strict=True):
        name.write_bytes(b"\n".join(lines))
    return str(names[0]), str(names[1])


def written(files: tuple[str, str], folder: Path, words: list[str], outputs: list[str]) -> list[bytes]:
    """The files that the command writes."""
    folder.mkdir()
    options = [word for option in outputs for word in (f"--{option}", str(folder / option))]
    shown = CliRunner().invoke(main, [*words, *options, "--now", "2025-06-01", *files])
    assert shown.exit_code == 0, shown.output
    return [(folder / name).read_bytes() for name in outputs]


@pytest.mark.parametrize(
    ("words", "outputs"),
    [
        (["replay"], ["profiles", "alerts"]),
        (["report"], ["out"]),
        (["fit"], ["out"]),
        (["backtest", "--split", "2024-08-01", "--horizon", "8w"], ["report"]),
    ],
    ids=["replay", "report", "fit", "backtest"],
)
def test_the_order_in_which_files_are_named_does_not_matter(files, tmp_path, words, outputs):
    one = written(files, tmp_path / "one", words, outputs)
    other = written((files[1], files[0]), tmp_path / "other", words, outputs)

    assert one == other
