"""What data is made of, in every room: frozen, and where people write it, strict about names."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Never changed once it is made."""

    model_config = ConfigDict(frozen=True)


class Model(Frozen):
    """Strict about names too: an unknown field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)
