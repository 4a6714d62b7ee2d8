"""Narrowing of types in tests: what must be there is there, else the test fails here."""

from typing import TypeVar

Value = TypeVar("Value")


def not_none(value: Value | None) -> Value:
    """The value itself; the test fails when it is None."""
    assert value is not None
    return value
