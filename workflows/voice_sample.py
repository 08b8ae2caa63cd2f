"""`VoiceSampleWorkflow`: a voice says a sentence. The API asks, and a worker, which has the voices, speaks."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import contracts
    from activities.contracts import SpokenSample
    from picturelock.jobs.stages import BY_NAME
    from picturelock.models import Voice
    from picturelock.temporal.names import VOICE_SAMPLE_WORKFLOW
    from workflows.options import options_for


@workflow.defn(name=VOICE_SAMPLE_WORKFLOW)
class VoiceSampleWorkflow:
    """Speaks one sample; the narration is found again when it was spoken before."""

    @workflow.run
    async def run(self, voice: Voice) -> SpokenSample:
        """The stored sound."""
        sample: SpokenSample = await workflow.execute_activity(
            contracts.SPEAK_SAMPLE,
            voice,
            result_type=SpokenSample,
            summary="sample",
            **options_for("tts", attempts=BY_NAME["tts"].retries.attempts),  # somebody waits: an outage is told
        )
        return sample
