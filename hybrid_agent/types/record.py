"""The base of everything that crosses a part boundary."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all wire and storage types: frozen, unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
