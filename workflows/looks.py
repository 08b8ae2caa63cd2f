"""Looks at exports that are not asked for yet: `ForecastWorkflow` and `StillWorkflow`. A worker has what they need."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from picturelock.jobs.stages import BY_NAME
    from picturelock.temporal.contracts import DRAW_STILL, FORESEE, DrawnStill, ForecastTask, Foreseen, StillTask
    from picturelock.temporal.names import FORECAST_WORKFLOW, STILL_WORKFLOW
    from workflows.scheduling import execute, stage_options


@workflow.defn(name=FORECAST_WORKFLOW)
class ForecastWorkflow:
    """What an export would be."""

    @workflow.run
    async def run(self, task: ForecastTask) -> Foreseen:
        """The forecast. Somebody waits for it: an outage is an answer, too."""
        options = stage_options(FORESEE, attempts=BY_NAME["script"].retries.attempts)
        return await execute(FORESEE, task, options, summary="plan")


@workflow.defn(name=STILL_WORKFLOW)
class StillWorkflow:
    """One scene as a picture."""

    @workflow.run
    async def run(self, task: StillTask) -> DrawnStill:
        """The picture, in the store."""
        options = stage_options(DRAW_STILL, attempts=BY_NAME["composition"].retries.attempts)
        return await execute(DRAW_STILL, task, options, summary="still")
