"""What a job's workflow knows of its film, asked by a query."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Final

from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError

from picturelock.models import Observation
from picturelock.models.strip import FilmRecord
from picturelock.temporal.errors import StateUnavailable
from picturelock.temporal.names import FILM_QUERY

_SECONDS: Final = 2.0
_KEPT: Final = 256


class FilmRecords:
    """Asks workflows of one Temporal. Of one length of a history there is one answer, however many ask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: OrderedDict[str, tuple[int, FilmRecord]] = OrderedDict()

    async def read(self, observation: Observation) -> FilmRecord:
        """The record of an observed run; where no orchestrator answers, the one that was answered last.

        Raises:
            StateUnavailable: nobody has answered, now or before.
        """
        length, kept = self._kept.get(observation.run_id, (-1, None))
        if kept is not None and length == observation.history_length:
            return kept
        handle = self._client.get_workflow_handle(observation.job_id, run_id=observation.run_id)
        with suppress(RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_SECONDS):
                answer: FilmRecord = await handle.query(FILM_QUERY, result_type=FilmRecord)
            self._kept[observation.run_id] = (observation.history_length, answer)
            self._kept.move_to_end(observation.run_id)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return answer
        if kept is None:
            raise StateUnavailable("no orchestrator answers what it knows of this film")
        return kept
