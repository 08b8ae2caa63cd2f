"""What the routes of one application share, and what a request sees of it: its caller's jobs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from api.watch import Watchers
from picturelock.auth.caller import Caller
from picturelock.auth.keyring import Keyring
from picturelock.auth.tokens import Signer
from picturelock.jobs.film_view import FilmViews
from picturelock.preview.stretches import Stretches
from picturelock.settings import Settings
from picturelock.store.owned_assets import OwnedAssets
from picturelock.store.store import Store
from picturelock.temporal.film_records import FilmRecords
from picturelock.temporal.owned_jobs import OwnedJobs
from picturelock.temporal.reader import JobReader

if TYPE_CHECKING:
    from api.health import Readiness
    from api.quotas import Quotas

CALLER = "picturelock.caller"
"""Where a request's scope has its caller, once `api.access` has let it in."""


@dataclass(frozen=True, slots=True)
class Services:
    """Connections and settings; no job state."""

    client: Client
    reader: JobReader
    watchers: Watchers
    store: Store
    settings: Settings
    keyring: Keyring
    signer: Signer
    assets: OwnedAssets
    readiness: "Readiness"
    quotas: "Quotas"
    film_records: FilmRecords
    film_views: FilmViews
    stretches: Stretches


@dataclass(frozen=True, slots=True)
class Context:
    """One request's view. Jobs are read through `jobs` alone, which knows whose they may be."""

    services: Services
    caller: Caller
    jobs: OwnedJobs

    @property
    def client(self) -> Client:
        """The client of Temporal."""
        return self.services.client

    @property
    def store(self) -> Store:
        """The artifact store."""
        return self.services.store

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""
        return self.services.settings

    @property
    def watchers(self) -> Watchers:
        """The watchers of jobs, whosever they are."""
        return self.services.watchers


async def _context(request: Request) -> Context:  # a plain function would be run in a thread, at every request
    services: Services = request.app.state.services
    caller: Caller = request.scope[CALLER]
    return Context(services, caller, OwnedJobs(services.reader, caller))


Shared = Annotated[Context, Depends(_context)]
