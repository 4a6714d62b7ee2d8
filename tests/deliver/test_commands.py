"""`stream deliver`: what each command prints and changes, and its exit code."""

import json
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from stream.commands.deliver_list import SUPPRESSED_WORDS
from stream.commands.main import main
from stream.core.units import DAY_MS
from stream.deliver.plan.outcome import SUPPRESSED_BY
from stream.deliver.queue.database import VERSION
from tests.support.alert_bodies import alert_body
from tests.support.deliver_world import DOWN, OK, World
from tests.support.webhook_receiver import SECRET, WebhookReceiver

FAR_MS = 4_000_000_000_000
"""In the year 2096: the commands go by the clock of the wall."""


def run(*words: str, **environ: str):
    return CliRunner().invoke(main, ["deliver", *words], env=environ)


@pytest.fixture
async def queue(tmp_path):
    """Ten days on: c0 was accepted, c1 was parked, c2 is held out, and one record was no alert."""
    moods = {"c0": OK}
    world = World(tmp_path, lambda a: moods.get(a.customer, DOWN))
    arms = ["", "", "held_out"]
    bodies = [alert_body(f"c{n}", arm=arm, expires_ms=FAR_MS) for n, arm in enumerate(arms)]
    await world.send(*bodies, b"{}")
    await world.run_for(10 * DAY_MS)
    world.database.close()
    return str(tmp_path / "queue.db")


async def test_list_says_what_became_of_the_alerts_of_each_endpoint(queue):
    answer = run("list", "--queue", queue)
    listed = json.loads(run("list", "--queue", queue, "--json").output)

    assert answer.exit_code == 0
    assert "crm: enabled" in answer.output
    assert "1 accepted" in answer.output
    assert "1 records of the topic are no alerts" in answer.output
    assert listed["endpoints"][0]["outcomes"] == {"accepted": 1, "parked": 1, "suppressed/holdout": 1}
    assert listed["no_alerts"] == 1


async def test_undelivered_names_what_never_arrived_and_why(queue):
    answer = run("undelivered", "--queue", queue)
    listed = json.loads(run("undelivered", "--queue", queue, "--json").output)

    assert answer.exit_code == 1
    assert "parked: 10 attempts, the last: nobody listens there" in answer.output
    assert answer.output.endswith("1 undelivered\n")
    assert [each["customer"] for each in listed["undelivered"]] == ["c1"]


async def test_undelivered_lists_what_was_left_out_on_purpose_when_it_is_asked_in_words(queue):
    answer = run("undelivered", "--queue", queue, "--all")

    assert answer.exit_code == 1
    held_out = "suppressed (holdout): the customer is held out by an experiment; it would have been sent now"
    assert held_out in answer.output
    assert answer.output.endswith("2 undelivered\n")


def test_every_reason_of_what_was_suppressed_has_words():
    assert set(SUPPRESSED_WORDS) == set(SUPPRESSED_BY)


async def test_resend_queues_again_and_says_what_stays(queue):
    words = ("resend", "--queue", queue, "--outcome", "parked", "--outcome", "suppressed")
    tried, done, again = run(*words, "--dry-run"), run(*words), run(*words)

    assert "1 would be queued" in tried.output
    assert "1 queued" in done.output
    assert "the customer is held out" in done.output
    assert done.exit_code == 1
    assert "0 queued" in again.output
    assert run("resend", "--queue", queue).exit_code == 2


async def test_an_endpoint_is_disabled_and_enabled(queue):
    off = run("disable", "crm", "--queue", queue, "--reason", "maintenance")
    shown = run("list", "--queue", queue)
    on, twice = run("enable", "crm", "--queue", queue), run("enable", "crm", "--queue", queue)

    assert (off.exit_code, on.exit_code, twice.exit_code) == (0, 0, 1)
    assert "crm: DISABLED: maintenance" in shown.output
    assert "it is not disabled" in twice.output


async def test_show_tells_all_of_one_alert(queue):
    wanted = json.loads(run("undelivered", "--queue", queue, "--json").output)["undelivered"][0]["alert_id"]
    answer = run("show", wanted, "--queue", queue)

    assert json.loads(answer.output)["attempts"] == 10
    assert run("show", "nothing", "--queue", queue).exit_code == 1


def test_a_queue_that_is_not_there_is_one_line(tmp_path):
    answer = run("list", "--queue", str(tmp_path / "none.db"))

    assert answer.exit_code == 1
    assert "no such queue" in answer.output
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_queue_is_one_line(tmp_path):
    (tmp_path / "q.db").write_bytes(b"something else" * 1_000)
    answer = run("list", "--queue", str(tmp_path / "q.db"))

    assert answer.exit_code == 1
    assert "file is not a database" in answer.output


@pytest.mark.parametrize("version", [0, 2, VERSION])
@pytest.mark.parametrize("words", [("list",), ("disable", "crm"), ("resend", "--outcome", "parked")])
def test_a_database_of_another_program_is_left_as_it_is(tmp_path, words, version):
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE alert (customer TEXT)")
        other.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()

    answer = run(*words, "--queue", str(path))

    assert answer.exit_code == 1
    assert "a database of another program" in answer.output
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["crm.db"]


def test_an_empty_file_is_no_queue_and_stays_empty(tmp_path):
    (tmp_path / "q.db").touch()

    answer = run("list", "--queue", str(tmp_path / "q.db"))

    assert answer.exit_code == 1
    assert "no queue" in answer.output
    assert not (tmp_path / "q.db").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("disable", "crn"),
        ("enable", "crn"),
        ("undelivered", "--endpoint", "crn"),
        ("resend", "--outcome", "parked", "--endpoint", "crn"),
    ],
)
async def test_an_endpoint_that_nobody_knows_is_a_mistake_and_no_success(queue, words):
    before = run("list", "--queue", queue).output
    answer = run(*words, "--queue", queue)

    assert answer.exit_code == 2
    assert "crn: no such endpoint in this queue; there are crm" in answer.output
    assert run("list", "--queue", queue).output == before


async def test_a_reason_that_does_not_exist_is_a_mistake(queue):
    answer = run("resend", "--outcome", "suppressed", "--reason", "quite_hours", "--queue", queue)

    assert answer.exit_code == 2
    assert "quiet_hours" in answer.output


async def test_list_says_for_how_long_the_oldest_waits(tmp_path):
    world = World(tmp_path, lambda _: DOWN)
    await world.send(alert_body("c", expires_ms=FAR_MS))
    world.database.close()

    assert "1 pending, the oldest for " in run("list", "--queue", str(tmp_path / "queue.db")).output


async def test_show_is_one_json_object_when_asked(queue):
    (parked,) = json.loads(run("undelivered", "--queue", queue, "--json").output)["undelivered"]
    answer = run("show", parked["alert_id"], "--queue", queue, "--json")

    assert json.loads(answer.output) == {"alert": parked["alert_id"], "deliveries": [parked]}


def test_a_test_in_json_has_request_answer_and_remedy(tmp_path):
    with WebhookReceiver() as receiver:
        (tmp_path / "e.toml").write_text(receiver.endpoints_file())
        words = ("test", "crm", "--json", "--endpoints", str(tmp_path / "e.toml"))
        good = json.loads(run(*words, RECEIVER_SECRET=SECRET).output)
        wrong = json.loads(run(*words, RECEIVER_SECRET="whsec_" + "A" * 40).output)

    assert (good["accepted"], good["answer"]["failure"], good["what_to_do"]) == (True, None, "")
    assert good["request"]["headers"]["webhook-id"] == json.loads(good["request"]["body"])["id"]
    assert (wrong["accepted"], wrong["answer"]["status"]) == (False, 401)
    assert wrong["what_to_do"].startswith("look at the endpoint's log")


def test_test_sends_a_labelled_sample_and_says_what_came_back(tmp_path):
    with WebhookReceiver() as receiver:
        (tmp_path / "e.toml").write_text(receiver.endpoints_file())
        words = ("test", "crm", "--endpoints", str(tmp_path / "e.toml"))
        good = run(*words, RECEIVER_SECRET=SECRET)
        wrong = run(*words, RECEIVER_SECRET="whsec_" + "A" * 40)

    assert good.exit_code == 0
    assert "accepted after" in good.output
    assert "webhook-signature: v1," in good.output
    assert json.loads(next(iter(receiver.bodies.values())))["subject"] == "stream-deliver-test"
    assert wrong.exit_code == 1
    assert "What to do: look at the endpoint's log; 401" in wrong.output
    assert receiver.forged == 1


def test_the_sample_is_a_valid_alert():
    from pathlib import Path

    import jsonschema_rs

    from stream.deliver.sample import sample_alert

    schema = json.loads((Path(__file__).parents[2] / "schemas/alert/2.json").read_text())
    _, body = sample_alert(1_764_500_000_000)

    assert jsonschema_rs.is_valid(schema, json.loads(body))


def test_check_names_every_fault_with_exit_code_2(tmp_path):
    (tmp_path / "e.toml").write_text('[endpoints.crm]\nurl = "http://crm.example/"\nsecret_env = "NONE"\n')
    answer = run("check", "--endpoints", str(tmp_path / "e.toml"))

    assert answer.exit_code == 2
    assert len(answer.output.splitlines()) == 2
    assert run("check").exit_code == 2


def test_one_process_has_a_queue_in_a_file(tmp_path):
    from stream.deliver.queue.sqlite import SqliteDatabase

    first = SqliteDatabase(tmp_path / "q.db", alone=True)
    (tmp_path / "e.toml").write_text('[endpoints.crm]\nurl = "https://crm.example/"\nsecret_env = "S"\n')
    answer = run("run", "--endpoints", str(tmp_path / "e.toml"), "--queue", str(tmp_path / "q.db"), S=SECRET)
    first.close()

    assert answer.exit_code == 2
    assert "another `stream deliver run` uses this queue" in answer.output
