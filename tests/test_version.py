"""The package says which version it is."""

from stream import __version__


def test_version_is_semantic():
    assert __version__.count(".") == 2
