"""How Temporal's refusals look to those who read job states."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.service import RPCError, RPCStatusCode

UNSUPPORTED: Final = frozenset({RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED})
"""A server says so of a method that it does not have, or does not let us use."""


class JobNotFound(Exception):
    """Temporal knows no export of this id."""


class JobDeleted(JobNotFound):
    """The job was there, and somebody has deleted it."""


class StateRefused(Exception):
    """Temporal does not understand what it was asked, such as a cursor that is none of its own."""


class StateUnavailable(Exception):
    """Temporal cannot be reached (`for_all` jobs), or did not answer about this one."""

    def __init__(self, message: str, *, for_all: bool = False) -> None:
        super().__init__(message)
        self.for_all = for_all


@asynccontextmanager
async def translated(seconds: float, *, cursor: bool = False) -> AsyncIterator[None]:
    """A time limit around calls to Temporal, and its errors in our words. With a `cursor`, that may be wrong."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StateUnavailable("Temporal did not answer in time") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not _lacks_namespace(error):
            raise JobNotFound(error.message) from error
        # A page token that is none of its own makes the server answer UNKNOWN or INVALID_ARGUMENT.
        if cursor and error.status in {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNKNOWN}:
            raise StateRefused("cursor: not a cursor of this list") from error
        if error.status is RPCStatusCode.NOT_FOUND:
            raise StateUnavailable(f"Temporal has not what it should: {error.message}", for_all=True) from error
        away = error.status is RPCStatusCode.UNAVAILABLE
        raise StateUnavailable(f"Temporal does not answer: {error.status.name}", for_all=away) from error
    except RuntimeError as error:
        # A lazy client that could not connect raises a bare RuntimeError.
        raise StateUnavailable("Temporal cannot be reached", for_all=True) from error


def _lacks_namespace(error: RPCError) -> bool:
    """Whether it is not a workflow that Temporal does not know, but our whole namespace."""
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)
