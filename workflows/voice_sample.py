"""`VoiceSampleWorkflow`: a voice says a sentence. The API asks, and a worker, which has the voices, speaks."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from picturelock.jobs.stages import BY_NAME
    from picturelock.models import Voice
    from picturelock.temporal.contracts import SPEAK_SAMPLE, SpokenSample
    from picturelock.temporal.names import VOICE_SAMPLE_WORKFLOW
    from workflows.scheduling import execute, stage_options


@workflow.defn(name=VOICE_SAMPLE_WORKFLOW)
class VoiceSampleWorkflow:
    """Speaks one sample; the narration is found again when it was spoken before."""

    @workflow.run
    async def run(self, voice: Voice) -> SpokenSample:
        """The stored sound."""
        # Somebody waits for it: an outage is an answer, too.
        options = stage_options(SPEAK_SAMPLE, attempts=BY_NAME["tts"].retries.attempts)
        return await execute(SPEAK_SAMPLE, voice, options, summary="sample")
