"""What the parts of the model record have in common."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[float, Meta(gt=0)]


class ModelPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of a part of the model: a misspelt field is an error, not a default."""
