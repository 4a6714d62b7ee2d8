"""`stream digest` of a running shop: the mail says what the open page says."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.live_shop import last_ms_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def digest_of(shop, *words, **settings):
    environ = {
        **os.environ,
        **shop.environment,
        **{f"STREAM_{name.upper()}": text for name, text in settings.items()},
    }
    return subprocess.run(
        [sys.executable, "-m", "stream", "digest", *words],
        check=False,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_mail_of_the_topics_says_what_the_page_of_the_topics_says(shop, dashboard, replayed, tmp_path):
    shop.write_profiles(replayed[0])
    shop.write_alerts(replayed[1])
    page = dashboard(clock="event").start()

    printed = digest_of(
        shop, "--html", str(tmp_path / "d.html"), "--text", str(tmp_path / "d.txt"), clock="event"
    )

    assert printed.returncode == 0, printed.stderr
    text, shown = (tmp_path / "d.txt").read_text(), page.body("?kind=churn_risk")
    (count,) = re.findall(r"Likely to leave <b>(\d+)</b>", shown)
    assert re.search(rf"^{count} customers, ", text.partition("Likely to leave")[2], flags=re.MULTILINE)
    worst = re.findall(r'customer\?id=([\w-]+)">', shown)[0]
    assert f"1. {worst} (" in text
    assert worst in (tmp_path / "d.html").read_text()
    assert last_ms_of(replayed[0]) > 0


def test_without_the_topics_it_is_one_line_and_no_file(shop, tmp_path):
    missing = digest_of(shop, "--text", str(tmp_path / "d.txt"), app_id="x", topic_prefix="nowhere.")
    away = digest_of(shop, brokers="127.0.0.1:1")

    for answer in (missing, away):
        assert answer.returncode == 1
        assert answer.stderr.splitlines()[-1].startswith("Error: ")
    assert not (tmp_path / "d.txt").exists()
