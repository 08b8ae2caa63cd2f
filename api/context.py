"""What the routes of one application share: a client of Temporal, a reader, the watchers, the store, the settings."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from api.watch import Watchers
from picturelock.settings import Settings
from picturelock.store.store import Store
from picturelock.temporal.reader import JobReader


@dataclass(frozen=True, slots=True)
class Context:
    """Connections and settings; no job state."""

    client: Client
    reader: JobReader
    watchers: Watchers
    store: Store
    settings: Settings


async def _context(request: Request) -> Context:  # a plain function would be run in a thread, at every request
    context: Context = request.app.state.context
    return context


Shared = Annotated[Context, Depends(_context)]
