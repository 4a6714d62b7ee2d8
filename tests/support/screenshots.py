"""The pictures of docs/screens, made anew by one command: `python -m tests.support.screenshots [FOLDER]`.

A generated shop is replayed, its report published, and its pages are taken in chromium at two widths, light
and dark. Look at each of them: what is cut off, misaligned, unexplained or ugly is a fault.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from click.testing import CliRunner

from stream.commands.main import main as stream
from stream.core.judgement.basis import Basis
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.model_file import load_model
from stream.policy_file import load_policy
from stream.replay.run import replay
from tests.support.browser import chromium
from tests.support.dashboard_process import dashboard_process
from tests.support.replayed_shop import write_files
from tests.support.shop import write_events

SCREENS = Path(__file__).parents[2] / "docs" / "screens"
WIDTHS = (1280, 390)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HEIGHT = 800
PAGES = {"today": "", "customer": "customer?id={worst}", "map": "map", "won": "won", "kept": "kept"}
MODEL = Path("model.json")
"""Fitted to the shop, and that of replay, report and dashboard: they have the same tiers."""
SHOP = Shop(customers=400, days=400)


@contextmanager
def shown_shop() -> Iterator[str]:
    """The address of a dashboard that shows a generated shop, with what its report says."""
    with TemporaryDirectory() as name, chdir(name):  # the foot of each page names the files
        folder = Path()
        events = list(generated_events(SHOP, Disorder(), None))
        path = str(write_events(events, folder / "events.jsonl"))
        command("fit", path, "--out", str(MODEL))
        run, sent = replay(events, Basis(load_policy(None), load_model(MODEL)))
        profiles, alerts = write_files(folder, list(run.profiles.values()), sent)
        command("report", path, "--model", str(MODEL), "--publish", ".")
        files = ("--profiles", profiles, "--alerts", alerts, "--model", MODEL, "--published", folder)
        with dashboard_process(*files) as (_, address):
            yield address


def command(*words: str) -> None:
    """Run `stream` here; SystemExit with what it printed where it fails."""
    done = CliRunner().invoke(stream, words)
    if done.exit_code:
        raise SystemExit(done.output)


def take(folder: Path) -> None:
    """Write a picture of each page at each width, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with shown_shop() as address, chromium() as browser:
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
                page.goto(address)
                worst = page.locator("table.list tbody th a").first.inner_text()
                for name, path in PAGES.items():
                    page.goto(address + path.format(worst=worst))
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
                page.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else SCREENS)
