"""Keyed hashes of customer ids: what is kept under a key stays findable, and one module makes them."""

import re
from pathlib import Path

import pytest

from stream.page.masks import Masks
from stream.pseudonyms import ERASED, Pseudonyms
from stream.worker.monitoring.logs import customer_hash

STREAM = Path(__file__).parent.parent / "stream"
KEY = "a-key-for-tests-only"
OF_ONE_CUSTOMER = [
    ("anna@example.org", "a520e6f4c38642a259c33a7a08b1e01d", "m-e45urau4hk5v7cub", "e165ad578b4c997f"),
    ("c1", "cdabe82d9c18c72d37a84c4dba5da2e0", "m-ot7deol67cstcemw", "541ae28b2bfe1fd1"),
    ("\ud800é", "527835145cda2b43995863227b94eac9", "m-c4cw7sm2x3c3ospr", "49cafb19f3e881de"),
]
"""Customer id; its bar after an erasure, its mask on the page, its hash in logs. Users have kept such."""
NO_CUSTOMERS = {"deliver/plan/signature.py", "page/web/acting.py"}
"""They sign a webhook, and a form."""


@pytest.mark.parametrize(("customer", "bar", "mask", "logged"), OF_ONE_CUSTOMER)
def test_a_customer_keeps_its_three_pseudonyms_in_every_version(customer, bar, mask, logged):
    assert Pseudonyms(KEY, ERASED).of(customer) == bar
    assert Masks(KEY).of(customer) == mask
    assert customer_hash(KEY.encode())(customer) == logged


def test_bytes_are_the_id_that_they_encode_and_a_number_in_a_log_its_digits():
    hashed = customer_hash(KEY.encode())

    assert Pseudonyms(KEY, ERASED).of(b"\xffraw") == "63a091a8e07cff65830010bb8ff667e1"
    assert Pseudonyms(KEY, ERASED).of(b"c1") == Pseudonyms(KEY, ERASED).of("c1")
    assert (hashed(b"\xffraw"), hashed(b"c1")) == ("4a038673a4ce5e6e", "541ae28b2bfe1fd1")
    assert hashed(7) == hashed("7") == "303e810d803d632f"


def test_of_a_long_key_logs_take_64_bytes_and_a_store_of_masks_knows_its_key():
    assert customer_hash(b"k" * 70)("c1") == customer_hash(b"k" * 64)("c1") == "4009243ec0309986"
    assert Masks(KEY).fingerprint == "336499e93d5049f56e60"


def test_keyed_hashes_of_customers_are_computed_in_one_module():
    keyed = re.compile(r"\bhmac\b\.|\bblake2\w\([^)]*key=")
    found = {str(path.relative_to(STREAM)) for path in STREAM.rglob("*.py") if keyed.search(path.read_text())}

    assert found - NO_CUSTOMERS == {"pseudonyms.py"}
