"""Arms of an experiment: sticky, nested, balanced, and independent from one salt to another."""

import hashlib
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.policy.arms import HELD_OUT, TREATED, arm_of

TEXTS = st.text(max_size=20)
SHARES = st.floats(0, 1)
CUSTOMERS = [f"customer-{n:05d}" for n in range(20_000)]


def held_out(salt: str, share: float, policy: str = "default") -> set[str]:
    return {each for each in CUSTOMERS if arm_of(each, policy, salt, share) == HELD_OUT}


@given(TEXTS, TEXTS, TEXTS, SHARES, SHARES)
def test_a_larger_share_keeps_everybody_held_out_who_was(customer, policy, salt, one, other):
    low, high = sorted((one, other))

    if arm_of(customer, policy, salt, low) == HELD_OUT:
        assert arm_of(customer, policy, salt, high) == HELD_OUT


@given(TEXTS, TEXTS, TEXTS)
def test_a_share_of_nothing_holds_nobody_out_and_of_all_everybody(customer, policy, salt):
    assert arm_of(customer, policy, salt, 0.0) == TREATED
    assert arm_of(customer, policy, salt, 1.0) == HELD_OUT


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("salt", ["2026-q4", "2027-q1"])
def test_the_share_is_kept(salt, share):
    expected, deviation = share * len(CUSTOMERS), sqrt(len(CUSTOMERS) * share * (1 - share))

    assert abs(len(held_out(salt, share)) - expected) < 4 * deviation


@pytest.mark.parametrize(("first", "second"), [(("a", "p"), ("b", "p")), (("a", "p"), ("a", "q"))])
def test_another_salt_or_policy_mixes_anew(first, second):
    both = held_out(first[0], 0.5, first[1]) & held_out(second[0], 0.5, second[1])

    assert abs(len(both) - len(CUSTOMERS) / 4) < 4 * sqrt(len(CUSTOMERS) * 3 / 16)


@given(st.lists(TEXTS, min_size=3, max_size=3), st.integers(1, 10))
def test_a_text_that_moves_from_one_part_to_the_next_is_another_draw(parts, moved):
    salt, policy, customer = parts
    joined = salt + policy
    cut = min(moved, len(joined))
    if (joined[:cut], joined[cut:]) != (salt, policy):
        draws = [arm_of(customer, "x" * n + policy, salt, 0.5) for n in range(40)]
        others = [arm_of(customer, "x" * n + joined[cut:], joined[:cut], 0.5) for n in range(40)]
        assert draws != others


def test_another_program_can_compute_it():
    text = b"7:2026-q4" + b"7:default" + b"customer-00042"
    draw = int(hashlib.sha256(text).hexdigest()[:16], 16) // 2**11 / 2**53

    assert arm_of("customer-00042", "default", "2026-q4", draw) == TREATED
    assert arm_of("customer-00042", "default", "2026-q4", draw + 2**-50) == HELD_OUT
