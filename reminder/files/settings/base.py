"""What every table of the settings is made from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


def fault(key: str, message: str) -> PydanticCustomError:
    """A fault of several keys together, told at `key`."""
    return PydanticCustomError("at", "{message}", {"key": key, "message": message})


class Section(BaseModel):
    """A table of the file. A field's description is what one should write, for its faults."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )
