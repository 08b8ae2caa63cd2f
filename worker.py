"""The worker process: connects, registers, and drains on SIGTERM.

    python worker.py --role all|orchestrate|render

`orchestrate` runs workflows and the light activities, `render` renders segments, `all` does both.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import (
    ActivityInboundInterceptor,
    Interceptor,
    Worker,
    WorkerDeploymentConfig,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from activities.composition import compose_film
from activities.control import pause_activities, read_fractions, unpause_activities
from activities.eviction import evict_cache
from activities.finalize import finalize_film
from activities.log_context import ActivityLogContext
from activities.looks import draw_scene, foresee_film
from activities.pace import PACE
from activities.post_export import archive_job, deliver_webhook
from activities.render import choose_encoder, draft_sound, master_sound, render_batch
from activities.script import write_script
from activities.tts import speak_sample, speak_scene
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, HEARTBEAT_SECONDS, RENDER_QUEUE
from picturelock.logs import configure_logging
from picturelock.settings import Settings, settings
from picturelock.speech.hibari import warm_up
from picturelock.store.scratch import sweep
from picturelock.store.store import default_store
from picturelock.temporal.connection import connect, when_there
from picturelock.temporal.errors import StateUnavailable
from picturelock.temporal.names import EVICTION_SCHEDULE, EVICTION_WORKFLOW
from picturelock.temporal.terminated_jobs import TerminatedRuns
from picturelock.temporal.worker_liveness import HEARTBEAT_SECONDS as WORKER_HEARTBEAT_SECONDS
from picturelock.temporal.worker_liveness import WorkerLiveness
from workflows.eviction import EvictionWorkflow
from workflows.export import ExportWorkflow
from workflows.log_context import WorkflowLogContext
from workflows.looks import ForecastWorkflow, StillWorkflow
from workflows.post_export import PostExportWorkflow
from workflows.voice_sample import VoiceSampleWorkflow

ROLES = ("all", "orchestrate", "render")
SWEEP_SECONDS = 60.0
FOLLOW_UP_SECONDS = 15.0
PACE_SECONDS = 5.0
EVICTION_SECONDS = 600.0
OVERTIME_SECONDS = 8.0
"""How long after its drain time a worker may still take; cancelled work has five seconds of them."""

LIGHT_SLOTS = (os.cpu_count() or 1) + 1
"""Light activities at once: enough to keep every core at work, and no more than lets a quiet owner's go soon."""

ACTIVITIES: Final[Mapping[str, Sequence[Callable[..., Any]]]] = {
    EXPORTS_QUEUE: (
        write_script,
        speak_scene,
        speak_sample,
        foresee_film,
        draw_scene,
        compose_film,
        master_sound,
        draft_sound,
        finalize_film,
        read_fractions,
    ),
    CONTROL_QUEUE: (pause_activities, unpause_activities, archive_job, deliver_webhook, evict_cache),
    RENDER_QUEUE: (render_batch, choose_encoder),
}
"""The activities by the task queue that their contracts name."""

CONTROL_SLOTS = 50
"""Control activities at once: they wait for Temporal, the store and receivers of webhooks."""

log = structlog.get_logger()


class LogContext(Interceptor):
    """Has every line that is logged say which job, activity, attempt and request it is about."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """What stands around activities."""
        return ActivityLogContext(next)

    def workflow_interceptor_class(self, _input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """What stands around workflows."""
        return WorkflowLogContext


def deployment(
    configured: Settings, behavior: VersioningBehavior = VersioningBehavior.PINNED
) -> WorkerDeploymentConfig | None:
    """The version that this worker is of, if it is to be told from others. Its workflows end where they began."""
    if configured.worker_build is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(configured.worker_deployment, configured.worker_build),
        use_worker_versioning=True,
        default_versioning_behavior=behavior,
    )


def build_workers(client: Client, role: str, configured: Settings) -> list[Worker]:
    """The workers of a role. The SDK holds no heartbeat back for longer than `HEARTBEAT_SECONDS` (by itself: 8 s)."""
    throttle = timedelta(seconds=HEARTBEAT_SECONDS)
    common = partial(
        Worker,
        client,
        max_heartbeat_throttle_interval=throttle,
        default_heartbeat_throttle_interval=throttle,
        graceful_shutdown_timeout=timedelta(seconds=configured.drain_seconds),
        interceptors=[LogContext()],
    )
    workers: list[Worker] = []
    if role in {"all", "orchestrate"}:
        workers.append(
            common(
                task_queue=EXPORTS_QUEUE,
                workflows=[ExportWorkflow, VoiceSampleWorkflow, ForecastWorkflow, StillWorkflow, EvictionWorkflow],
                deployment_config=deployment(configured),
                activities=ACTIVITIES[EXPORTS_QUEUE],
                max_concurrent_activities=LIGHT_SLOTS,
            )
        )
        workers.append(
            common(
                task_queue=CONTROL_QUEUE,
                workflows=[PostExportWorkflow],
                # What follows an export's end may take a day: it goes on with a newer version.
                deployment_config=deployment(configured, VersioningBehavior.AUTO_UPGRADE),
                activities=ACTIVITIES[CONTROL_QUEUE],
                max_concurrent_activities=CONTROL_SLOTS,
            )
        )
    if role in {"all", "render"}:
        # Where files travel, one segment more is taken: it fetches, and another one stores, while encoders are busy.
        ahead = 1 if default_store().is_remote else 0
        workers.append(
            common(
                task_queue=RENDER_QUEUE,
                activities=ACTIVITIES[RENDER_QUEUE],
                deployment_config=deployment(configured),
                max_concurrent_activities=configured.slots + ahead,
            )
        )
    return workers


async def _sweep() -> None:
    """Removes what killed processes left; one that drains still holds its folder, so it is looked for again."""
    while True:
        for folder in await asyncio.to_thread(sweep, settings().scratch):
            log.info("removed what a killed process left", folder=folder.name)
        await asyncio.sleep(SWEEP_SECONDS)


def _log_end(task: asyncio.Task[None]) -> None:
    """What goes on beside the work ends with the worker; if it ends before, somebody has to know why."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a task of the worker ended", task=task.get_name(), exc_info=error)


def _leave_after(seconds: float) -> threading.Timer:
    """Ends the process when its work has not ended by then: whoever has asked it to stop must be able to rely on it."""

    def leave() -> None:
        log.error("work has not ended in time; the process ends without it", seconds=seconds)
        os._exit(os.EX_SOFTWARE)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
    return timer


async def _keep_pace(client: Client) -> None:
    """Sets how often activities send heartbeats, by the number of live render workers."""
    workers = WorkerLiveness(client)
    while True:
        live_workers = await workers.read()
        PACE.processes = live_workers.live.get(RENDER_QUEUE, 1) if live_workers else 1
        await asyncio.sleep(PACE_SECONDS)


async def _follow_up(client: Client) -> None:
    """Sees to what follows the end of exports that the server itself has ended."""
    runs = TerminatedRuns(client)
    while True:
        try:
            for job_id in await runs.follow_up():
                log.info("a terminated job is followed up", job=job_id)
        except (RPCError, StateUnavailable) as error:
            log.warning("terminated jobs could not be looked for; the next look comes", reason=str(error))
        await asyncio.sleep(FOLLOW_UP_SECONDS)


async def keep_evicting(client: Client) -> None:
    """Has the cache looked after for good: one schedule for all workers, made by whichever comes first."""
    start = ScheduleActionStartWorkflow(EVICTION_WORKFLOW, id="eviction", task_queue=EXPORTS_QUEUE)
    every = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=EVICTION_SECONDS))])
    try:
        await client.create_schedule(EVICTION_SCHEDULE, Schedule(action=start, spec=every))
    except ScheduleAlreadyRunningError:
        pass
    except RPCError as error:
        log.warning("the schedule of evictions could not be made; the next worker tries again", reason=str(error))


async def run(role: str, ready_file: Path | None = None) -> None:
    """Works until SIGTERM or SIGINT, then lets running work finish within the drain time.

    Once the worker polls, it writes its process id to `ready_file`, if given.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runtime = Runtime(
        telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=WORKER_HEARTBEAT_SECONDS)
    )
    identity = f"{os.getpid()}@{socket.gethostname()}:{role}"
    reaching = asyncio.create_task(when_there(lambda: connect(identity=identity, runtime=runtime)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({reaching, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not reaching.done():
        reaching.cancel()
        return
    client = await reaching
    async with AsyncExitStack() as stack:
        for worker in build_workers(client, role, settings()):
            await stack.enter_async_context(worker)
        if role != "render":
            asyncio.get_running_loop().run_in_executor(None, warm_up)
            await keep_evicting(client)
        beside = [asyncio.create_task(_sweep()), asyncio.create_task(_keep_pace(client))]
        if role != "render":
            beside.append(asyncio.create_task(_follow_up(client)))
        for task in beside:
            task.add_done_callback(_log_end)
        log.info("worker ready", role=role, identity=identity)
        if ready_file is not None:
            ready_file.write_text(str(os.getpid()))
        await stop.wait()
        for task in beside:
            task.cancel()
        log.info("worker draining", seconds=settings().drain_seconds)
        leaving = _leave_after(settings().drain_seconds + OVERTIME_SECONDS)
    leaving.cancel()
    # Temporal's core lets go of its threads shortly after; leaving earlier can crash the interpreter (sdk-python #300).
    await asyncio.sleep(0.05)


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description="A Picturelock worker.")
    parser.add_argument("--role", choices=ROLES, default="all")
    parser.add_argument("--ready-file", type=Path, help="a file that gets the process id once it asks for work")
    chosen = parser.parse_args(arguments)
    configure_logging(settings().log_format, settings().log_level)
    asyncio.run(run(chosen.role, chosen.ready_file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
