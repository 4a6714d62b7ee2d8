"""Model records (JSON) on disk: read and checked."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from stream.core.model.document import ModelError, decode_model
from stream.core.model.record import Model

DEFAULT = "model.default.json"


def load_model(path: Path) -> Model:
    """The model in a file; ModelError names the file and what is wrong with it."""
    try:
        return decode_model(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def default_model() -> Model:
    """The model used until one is fitted: learnt from the CDNOW data set, as the record's `source` says."""
    return decode_model(files("stream.data").joinpath(DEFAULT).read_bytes())
