"""`stream doctor` on purchases in several currencies: whose money is not added, and what to do about it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream.core.model.document import encode_model, sealed
from stream.model_file import default_model
from stream.ops.doctor.cluster_view import ClusterFinding
from stream.ops.doctor.currencies import check_currencies
from stream.wire import STRUCTURED_HEADERS, encode_event
from stream.worker.kafka.topics import ROLES
from tests.support.builders import bought
from tests.support.cluster_views import SETTINGS, cluster

RATED = '[finance]\ncurrency = "USD"\nrates = { KWD = "3.25" }\n'


class Purchase:
    """A message of the purchases topic."""

    def __init__(self, currency: str) -> None:
        self._value = encode_event(bought(0, currency=currency))

    def key(self) -> bytes:
        return b"c"

    def value(self) -> bytes:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return list(STRUCTURED_HEADERS)


def finding(tmp_path, policy: str, *currencies: str, model: bytes = b"") -> ClusterFinding:
    (tmp_path / "p.toml").write_text(policy)
    (tmp_path / "m.json").write_bytes(model)
    settings = msgspec.structs.replace(
        SETTINGS,
        policy=str(tmp_path / "p.toml") if policy else "",
        model=str(tmp_path / "m.json") if model else "",
    )
    samples: dict[str, list[Any]] = {role: [] for role in ROLES} | {
        "purchases": [Purchase(code) for code in currencies]
    }
    (found,) = check_currencies(cluster(ROLES, settings=settings, samples=samples))
    return found


@pytest.mark.parametrize(
    ("policy", "currencies", "level", "words"),
    [
        ("", (), "skipped", "no purchase on the inputs"),
        ("", ("USD", "USD"), "ok", "sampled purchases: 2 in USD"),
        (RATED, ("USD", "KWD"), "ok", "1 in USD, 1 in KWD"),
        (RATED, ("USD", "GBP"), "note", "money in GBP is not added to that in USD"),
        ("", ("USD", "GBP"), "note", "compares them as if they were in one"),
    ],
)
def test_currencies_are_compared_with_the_policy(tmp_path, policy, currencies, level, words):
    found = finding(tmp_path, policy, *currencies)

    assert (found.check, found.level) == ("currencies", level)
    assert words in found.found
    assert ("[finance] of the policy" in found.remedy) == (level == "note")


def test_a_model_in_another_currency_than_the_policys_is_a_fault(tmp_path):
    model = sealed(msgspec.structs.replace(default_model(), currency="JPY", name="own", version=""))
    found = finding(tmp_path, RATED, "USD", model=encode_model(model))

    assert found.level == "fault"
    assert "the money of model own is in JPY, the policy's in USD" in found.found
