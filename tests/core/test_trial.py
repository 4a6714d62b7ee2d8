"""Whatever a published model holds, it judges customers without an exception, or is refused with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import msgspec
import pytest

from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError, decode_model
from stream.core.model.record import Model
from stream.core.trial import tried_basis
from stream.model_file import default_model
from stream.policy_file import default_policy
from tests.support.builders import learnt_basis
from tests.support.policy_ends import judged_by

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

NUMBERS = (0, -1, 5e-324, 1e-300, 1e-4, 1.0, 1e4, 1e9, 1e15, 1e300, 2**62)
ROWS: tuple[Any, ...] = ("0", "1e300", "rising", "falling", "none")
LEARNT = learnt_basis().model
KINDS: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(LEARNT)) | {"version": ""}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every number of a model, and every list of numbers, by its path; of a list of lists the first two."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list | tuple) and value and isinstance(value[0], int | float):
        yield path
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value[:2]):
            yield from places(inner, (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


PLACES = tuple(places(KINDS))


def with_extreme(content: Any, path: tuple[Any, ...], random: Random) -> None:
    owner = content
    for key in path[:-1]:
        owner = owner[key]
    old = owner[path[-1]]
    if not isinstance(old, list | tuple):
        owner[path[-1]] = random.choice(NUMBERS)
        return
    edge = random.choice(NUMBERS)
    size = len(old)
    owner[path[-1]] = {
        "0": [edge] * size,
        "1e300": [*old[:-1], edge],
        "rising": [edge * (place + 1) / size for place in range(size)],
        "falling": [edge, *old[1:]],
        "none": [],
    }[random.choice(ROWS)]


def accepted(content: Any) -> Basis | None:
    """The basis of a model that is not refused; any other exception is the failure of the test."""
    try:
        return tried_basis(default_policy(), decode_model(msgspec.json.encode(content)))
    except ModelError:
        return None


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_model_with_one_extreme_number_judges_or_is_refused(path):
    random = Random(str(path))
    for _ in range(6):
        content: Any = deepcopy(KINDS)
        with_extreme(content, path, random)
        found = accepted(content)
        if found is not None:
            judged_by(found)


@pytest.mark.parametrize("seed", range(30))
def test_a_model_with_some_extreme_numbers_judges_or_is_refused(seed):
    random = Random(seed)
    content: Any = deepcopy(KINDS)
    for path in random.sample(PLACES, 3):
        with_extreme(content, path, random)
    found = accepted(content)
    if found is not None:
        judged_by(found)


def test_shipped_and_learnt_models_pass_the_trial():
    for model in (default_model(), LEARNT):
        assert tried_basis(default_policy(), model).model is model


def test_a_model_whose_tables_would_take_minutes_is_refused_at_once():
    model = default_model()
    process = msgspec.structs.replace(model.process, a=1e-4, b=1e-4)
    bare: Model = msgspec.structs.replace(model, process=process, tables=())

    with pytest.raises(ModelError, match="has no table for the risk_horizon"):
        tried_basis(default_policy(), bare)


@pytest.mark.parametrize("change", [{"log_age_start": 1e9}, {"rows": ((1e300,) * 44,) * 58}], ids=str)
def test_the_trial_finds_by_itself_what_the_check_of_numbers_would_miss(change):
    model = default_model()
    tables = tuple(msgspec.structs.replace(table, **change) for table in model.tables)

    with pytest.raises(ModelError, match="no customer can be judged by it"):
        tried_basis(default_policy(), msgspec.structs.replace(model, tables=tables))
