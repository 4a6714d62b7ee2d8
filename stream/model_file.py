"""Model records (JSON) on disk: read and checked, and written so that a half-written file is never seen."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from stream.core.model.document import ModelError, decode_model, encode_model
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


def write_model(path: Path, model: Model) -> None:
    """Write to a temporary file beside `path` and rename it at the end."""
    partial = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        partial.write_bytes(encode_model(model))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
