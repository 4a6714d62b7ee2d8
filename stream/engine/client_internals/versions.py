"""The versions of the client libraries that the engine knows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

SUPPORTED = {"aiokafka": "0.14.0", "faust-streaming": "0.15.3"}


def check_versions(installed: Mapping[str, str]) -> None:
    """ImportError: with another version the engine could lose records without a sign of it."""
    wrong = [
        f"{name} {installed[name]} is installed, only {supported} is supported"
        for name, supported in SUPPORTED.items()
        if installed[name] != supported
    ]
    if wrong:
        raise ImportError(f"stream.engine relies on internals of its clients: {'; '.join(wrong)}")


check_versions({name: version(name) for name in SUPPORTED})
