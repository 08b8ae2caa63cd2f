"""Every way an export can fail, with the codes clients see.

The tree, each class with its code; (r) marks what is worth trying again as it is:

    PicturelockError
      InvalidScript            INVALID_SCRIPT
      InvalidRequest           INVALID_REQUEST
      AssetMissing             ASSET_MISSING
      AssetUnreadable          ASSET_UNREADABLE
      WebhookRefused           WEBHOOK_REFUSED
      NotOffered               NOT_OFFERED
      VoiceUnavailable         VOICE_UNAVAILABLE
      SpeechFailed             SPEECH_FAILED (r)
      PictureUnavailable       PICTURE_UNAVAILABLE
      PictureFailed            PICTURE_FAILED (r)
      WriterFailed             WRITER_FAILED (r)
      WriterUnavailable        WRITER_UNAVAILABLE
      GlyphMissing             GLYPH_MISSING
      RenderFailed             RENDER_FAILED (r)
      RenderStalled            RENDER_STALLED (r)
      EncoderFailed            ENCODER_FAILED
      OutputInvalid            OUTPUT_INVALID (r)
      DiskFull                 DISK_FULL (r)
      StoreUnavailable         STORE_UNAVAILABLE (r)
      ArtifactLost             ARTIFACT_LOST (r)
      ToolMissing              TOOL_MISSING
      DeadlineExceeded         DEADLINE_EXCEEDED (r)
      WorkerLost               WORKER_LOST (r)
      Terminated               TERMINATED (r)
      InternalError            INTERNAL
"""

from typing import ClassVar

from picturelock.models.job import JobError, StageName


class PicturelockError(Exception):
    """The root of the tree. `retryable` decides whether Temporal tries the activity again.

    An `outage` is none of the work's own failures: a store or a provider is away, and is waited for.
    """

    code: ClassVar[str] = "INTERNAL"
    remediation: ClassVar[str] = "Report it with the job's id and correlation id."
    retryable: ClassVar[bool] = False
    outage: bool = False

    def __init__(self, message: str, *, detail: str | None = None, outage: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        if outage is not None:
            self.outage = outage

    def describe(self, stage: StageName | None = None, attempt: int = 1) -> JobError:
        """The error as it travels to clients."""
        return JobError(
            code=self.code,
            stage=stage,
            message=self.message,
            remediation=self.remediation,
            retryable=self.retryable,
            attempt=attempt,
            detail=self.detail,
        )


class InvalidScript(PicturelockError):
    """The script cannot become a film; the message says where."""

    code = "INVALID_SCRIPT"
    remediation = "Correct the script at the place the message names and send it again."


class InvalidRequest(PicturelockError):
    """The request asks for something that makes no sense together."""

    code = "INVALID_REQUEST"
    remediation = "Correct the field the message names and send it again."


class AssetMissing(PicturelockError):
    """An asset id that is not in the store."""

    code = "ASSET_MISSING"
    remediation = "Upload the file with POST /api/assets and use the assetId it answers."


class AssetUnreadable(PicturelockError):
    """A file that is not what it should be, or is damaged."""

    code = "ASSET_UNREADABLE"
    remediation = "Open the file in a viewer, save it again as PNG, JPEG, MP4 or WAV, and upload that."


class WebhookRefused(PicturelockError):
    """An address that no webhook may go to."""

    code = "WEBHOOK_REFUSED"
    remediation = (
        "Name a public http or https address without credentials; private ones must be allowed in the settings."
    )


class NotOffered(PicturelockError):
    """Something this installation does not offer."""

    code = "NOT_OFFERED"
    remediation = "GET /api/presets and /api/voices list what this installation offers."


class VoiceUnavailable(PicturelockError):
    """No installed voice speaks what the script says."""

    code = "VOICE_UNAVAILABLE"
    remediation = "Choose a voice from GET /api/voices, or bring recorded narration with narrationAssetId."


class SpeechFailed(PicturelockError):
    """A speech engine did not deliver."""

    code = "SPEECH_FAILED"
    remediation = "Try again; if it persists, look at the speech engine's own service."
    retryable = True


class PictureUnavailable(PicturelockError):
    """No stock or generated picture is to be had for what was asked."""

    code = "PICTURE_UNAVAILABLE"
    remediation = "Ask for something else, or upload a picture and name it by its assetId."


class PictureFailed(PicturelockError):
    """A source of pictures did not deliver; that may pass."""

    code = "PICTURE_FAILED"
    remediation = "Try again later; if it persists, look at the service of the stock or generated pictures."
    retryable = True


class WriterFailed(PicturelockError):
    """The language model's endpoint did not answer, or answered with an error that may pass."""

    code = "WRITER_FAILED"
    remediation = "Try again later, or send a script instead of a brief."
    retryable = True


class WriterUnavailable(PicturelockError):
    """No writer can make a script of this brief."""

    code = "WRITER_UNAVAILABLE"
    remediation = "Send a script instead of a brief, or check the settings of the language model."


class GlyphMissing(PicturelockError):
    """A text with signs that no bundled font can draw."""

    code = "GLYPH_MISSING"
    remediation = "Replace the signs the message names."


class RenderFailed(PicturelockError):
    """ffmpeg ended with an error."""

    code = "RENDER_FAILED"
    remediation = "Retry the job; if it fails again, the detail shows what ffmpeg said."
    retryable = True


class RenderStalled(PicturelockError):
    """ffmpeg lived but did not advance within the stall threshold."""

    code = "RENDER_STALLED"
    remediation = "Retry the job; if it stalls again, look at the worker's disk and load."
    retryable = True


class EncoderFailed(PicturelockError):
    """A hardware encoder failed; the workflow begins again with a software encoder."""

    code = "ENCODER_FAILED"
    remediation = "Nothing: the film is made with a software encoder. Look at the worker's driver."


class OutputInvalid(PicturelockError):
    """A file that did not pass the verification gate."""

    code = "OUTPUT_INVALID"
    remediation = "Retry the job; the checks that failed are in the detail."
    retryable = True


class DiskFull(PicturelockError):
    """Not enough room for what is to be written."""

    code = "DISK_FULL"
    remediation = "Free room on the worker's scratch disk or in the store, then retry the job."
    retryable = True


class StoreUnavailable(PicturelockError):
    """The artifact store does not answer."""

    code = "STORE_UNAVAILABLE"
    remediation = "Check the store; the job goes on when it answers."
    retryable = True
    outage = True


class ArtifactLost(PicturelockError):
    """A file that was in the store is not there any more, or is damaged."""

    code = "ARTIFACT_LOST"
    remediation = "Send the request again: what is missing is made again. What was uploaded has to be uploaded again."
    retryable = True


class ToolMissing(PicturelockError):
    """ffmpeg, ffprobe or the Temporal CLI is not installed."""

    code = "TOOL_MISSING"
    remediation = "Install the package the message names, or set the program's path in the settings."


class DeadlineExceeded(PicturelockError):
    """The export took longer than it was allowed to."""

    code = "DEADLINE_EXCEEDED"
    remediation = "Retry the job: finished work is reused. Add workers if it happens again."
    retryable = True


class WorkerLost(PicturelockError):
    """The worker that had the work was not heard of again, as often as the policy allows."""

    code = "WORKER_LOST"
    remediation = "Check the workers' memory and logs, then retry the job: finished work is reused."
    retryable = True


class Terminated(PicturelockError):
    """Somebody terminated the execution in Temporal."""

    code = "TERMINATED"
    remediation = "Retry the job: finished work is reused."
    retryable = True


class InternalError(PicturelockError):
    """A programming error."""


def all_errors() -> list[type[PicturelockError]]:
    """Every class of the tree that clients can see, in the order of this module."""
    return list(PicturelockError.__subclasses__())
