"""The rights of each process in Kafka are one table: the one that people read is the one that is used."""

from pathlib import Path

from stream.config.settings import Settings
from stream.worker.kafka.rights import USERS, rights_of, rights_table

ROOT = Path(__file__).parent.parent


def test_the_table_for_people_is_that_of_the_code():
    text = (ROOT / "SECURITY.md").read_text()

    assert rights_table() in text, rights_table()


def test_rights_name_the_topics_and_groups_of_the_settings():
    settings = Settings(topic_prefix="shop.", app_id="shop-7")
    named = {acl.name for user in USERS for acl in rights_of(user, settings)}

    assert {name for name in named if not name.startswith(("shop.", "shop-7"))} == set()


def test_only_workers_write_profiles_and_alerts():
    for user, needs in USERS.items():
        for role in ("profiles", "alerts", "view"):
            assert "WRITE" not in needs.topics.get(role, ()) or user == "worker"
