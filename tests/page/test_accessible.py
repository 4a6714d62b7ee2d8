"""Nothing on any page is serious or critical to axe-core: light and dark, wide and narrow."""

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.replay.run import replay
from tests.support.axe import axe_script, grave_faults
from tests.support.browser import PATIENCE_MS, chromium
from tests.support.builders import basis
from tests.support.dashboard_process import dashboard_process
from tests.support.replayed_shop import write_files
from tests.support.shop import write_events

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = [
    "", "?kind=churn_risk", "?tier=bronze", "customers", "customers?tier=gold", "map", "won", "grown", "kept",
    "policy", "customer?id=nobody", "nothing",
]  # fmt: skip
FILES = ["report.html", "backtest.html", "digest.html"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all that is shown: profiles, alerts, what studies published, and their pages as files."""
    folder = tmp_path_factory.mktemp("shown")
    events = list(generated_events(Shop(customers=160, days=400), Disorder(), None))
    path = str(write_events(events, folder / "events.jsonl"))
    run, alerts = replay(events, basis())
    write_files(folder, list(run.profiles.values()), alerts)
    studies = [
        ["report", path, "--publish", str(folder), "--out", str(folder / "report.html")],
        ["backtest", path, "--split", "2024-09-30", "--horizon", "13w", "--publish", str(folder)],
        ["digest", "--profiles", str(folder / "profiles.jsonl"), "--html", str(folder / "digest.html")],
    ]
    studies[1] += ["--report", str(folder / "backtest.html")]
    for words in studies:
        answer = CliRunner().invoke(main, words)
        assert answer.exit_code == 0, answer.output
    return folder


@pytest.fixture(scope="module")
def address(place):
    words = ["--profiles", place / "profiles.jsonl", "--alerts", place / "alerts.jsonl", "--published", place]
    with dashboard_process(*words) as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def script():
    return axe_script()


@pytest.fixture
def faults(browser, script):
    """What axe-core finds at an address."""

    def found(address, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        answer = grave_faults(page, script)
        context.close()
        return answer

    return found


@pytest.mark.parametrize("path", PATHS)
def test_nothing_on_a_page_keeps_people_out(faults, address, path):
    assert faults(address + path) == []


@pytest.mark.parametrize("path", ["", "customers", "map", "kept", "policy"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_nor_on_a_phone_nor_in_the_dark(faults, address, path, width, scheme):
    assert faults(address + path, width, scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_does_the_page_of_a_customer(faults, address, browser, scheme):
    page = browser.new_page()
    page.goto(address)
    first = page.locator("table.list tbody th a").first.get_attribute("href")
    page.close()

    assert faults(address + first.lstrip("/"), scheme=scheme) == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_does_a_report_or_a_mail(faults, place, name, scheme):
    assert faults((place / name).as_uri(), scheme=scheme) == []


def test_a_page_that_keeps_people_out_is_found(browser, script):
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>x</title><main><h1>x</h1><img src=x><select></select></main></html>"
    )

    assert {fault.split()[0] for fault in grave_faults(page, script)} >= {"image-alt", "select-name"}
    page.close()
