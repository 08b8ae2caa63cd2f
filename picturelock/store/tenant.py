"""Whose work is being done: what one owner has had made is not found by another one.

A film that is there at once tells that somebody has had the very same scene made before. So the records of the cache
are each owner's own; the files below them are shared, for who made a file nobody can see.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TENANT: ContextVar[str | None] = ContextVar("tenant", default=None)


@contextmanager
def working_for(owner: str | None) -> Iterator[None]:
    """Has everything that is looked up and remembered in the block belong to an owner; None: to nobody."""
    token = _TENANT.set(owner)
    try:
        yield
    finally:
        _TENANT.reset(token)


def own_key(key: str) -> str:
    """The key under which a record of the present owner is kept."""
    owner = _TENANT.get()
    return hashlib.sha256(f"{owner}\x00{key}".encode()).hexdigest() if owner else key
