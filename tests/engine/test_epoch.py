"""The header by which a row names the epoch of its writer; any producer can write one of that name."""

import pytest

from stream.engine.state.epoch import EPOCH_HEADER, epoch_in


def test_an_epoch_is_read():
    assert epoch_in([("other", b"7"), (EPOCH_HEADER, b"12")]) == 12


@pytest.mark.parametrize("value", [None, b"", b"abc", b"-1", b"1.5", b"9" * 5_000, b"\xff", b" 3"])
def test_a_header_that_is_no_number_is_none_of_ours(value):
    assert epoch_in([(EPOCH_HEADER, value)]) is None


def test_no_header_is_no_epoch():
    assert epoch_in(None) is None
    assert epoch_in([("other", b"7")]) is None
