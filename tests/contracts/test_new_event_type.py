"""What a new event type needs: each table that lacks an entry for a type fails here and names the type."""

import json

import jsonschema_rs
import pytest

from stream.contracts.examples import write_missing_examples
from stream.contracts.export import schema_of
from stream.contracts.registry import Contract, contracts
from stream.core.events import event
from stream.core.events.event import EVENT_BY_NAME, Event
from stream.core.facts.fold import EVENTS_FOLDED, NOT_FOLDED, TOUCHES
from stream.wire import decode_line
from stream.wording.dead_ends import ACTIVITIES

INPUTS = {contract.name: contract for contract in contracts() if contract.direction == "in"}


def test_every_event_struct_belongs_to_a_topic():
    """Add it to PURCHASES, ENGAGEMENT, FEEDBACK or CONTROL in stream/core/events/event.py."""
    structs = {
        name
        for name, each in vars(event).items()
        if isinstance(each, type) and issubclass(each, Event) and each is not Event
    }

    assert structs - {each.__name__ for each in EVENT_BY_NAME.values()} == set()


def test_every_event_type_is_folded_or_named_as_not_folded():
    """Add it to EVENTS_FOLDED in stream/core/facts/fold.py."""
    known = {each.__name__ for each in EVENT_BY_NAME.values()}

    assert known - {each.__name__ for each in (*EVENTS_FOLDED, *NOT_FOLDED)} == set()
    assert set(EVENTS_FOLDED) & NOT_FOLDED == set()


def test_every_event_of_the_customer_has_words():
    """Add it to ACTIVITIES in stream/wording/dead_ends.py."""
    assert set(TOUCHES.values()) - ACTIVITIES.keys() == set()


@pytest.mark.parametrize("contract", INPUTS.values(), ids=INPUTS)
def test_written_examples_are_judged_by_schema_and_program_as_their_name_says(contract: Contract, tmp_path):
    written = write_missing_examples(tmp_path, contract, 1)
    schema = jsonschema_rs.Draft202012Validator(schema_of(contract, 1), validate_formats=True)

    assert {path.name.partition("-")[0] for path in written} == {"good", "bad"}
    for path in written:
        good = path.name.startswith("good-")
        assert schema.is_valid(json.loads(path.read_text())) is good, path.name
        assert isinstance(decode_line(path.read_bytes()), Event) is good, path.name
    assert write_missing_examples(tmp_path, contract, 1) == []
    assert len(write_missing_examples(tmp_path, contract, 2)) == len(written)
