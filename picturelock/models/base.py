"""The two base classes of everything that crosses a process boundary."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

LOCAL: Final = "local"
"""The owner of everything where nobody has to say who he is."""


class Model(BaseModel):
    """A frozen record, camelCase in JSON. Unknown fields are ignored, so that old and new processes can mix."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="ignore",
        allow_inf_nan=False,
    )


class CachedResult(Model):
    """What an activity made: in which attempt, why others failed, and whether it was found instead of made."""

    attempt: int = 1
    failures: list[str] = Field(default=[], description="Why the newest of the attempts before it ended.")
    cached: bool = False

    @property
    def hits(self) -> int:
        """How many things were found."""
        return int(self.cached)

    @property
    def misses(self) -> int:
        """How many things had to be made."""
        return int(not self.cached)


class PlainResult(CachedResult):
    """What is never looked for: it counts neither as found nor as made."""

    @property
    def hits(self) -> int:
        """None."""
        return 0

    @property
    def misses(self) -> int:
        """None."""
        return 0


class Input(Model):
    """A record that a client sends: unknown fields are refused with their name."""

    model_config = ConfigDict(extra="forbid")
