"""Whoever asks the API: an owner, and what a key of his allows."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from picturelock.models.base import LOCAL

Scope = Literal["read", "create", "control", "upload", "admin"]
"""`read`: jobs and films; `create`: jobs; `control`: cancel, pause, resume, retry, delete; `upload`: files; `admin`:
an owner's data as a whole, metrics and the API's description."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

OwnerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from. A ticket's or a link's caller may see one job only."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    only_job: str | None = None

    @property
    def restricted_to(self) -> str | None:
        """The owner whose things alone may be seen; None where there are no owners."""
        return self.owner if self.key_id else None


EVERYBODY: Final = Caller(LOCAL, frozenset(SCOPES))
"""The caller where no key is asked for: nothing is kept from him."""
