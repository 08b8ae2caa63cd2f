"""Every way an export can fail, with the codes clients see.

The tree, each leaf with its code; (r) marks what is worth trying again as it is:

    PicturelockError
      ClientError                  whoever asked has to change something: `field` says where, `limit` what is allowed
        InvalidScript              INVALID_SCRIPT
        InvalidRequest             INVALID_REQUEST
        AssetError                 an uploaded file
          AssetMissing             ASSET_MISSING
          AssetUnreadable          ASSET_UNREADABLE
        WebhookRefused             WEBHOOK_REFUSED
        NotOffered                 NOT_OFFERED
        VoiceUnavailable           VOICE_UNAVAILABLE
        PictureUnavailable         PICTURE_UNAVAILABLE
        WriterUnavailable          WRITER_UNAVAILABLE
        GlyphMissing               GLYPH_MISSING
      ProviderError                a voice, a source of pictures or a language model did not deliver
        SpeechFailed               SPEECH_FAILED (r)
        PictureFailed              PICTURE_FAILED (r)
        WriterFailed               WRITER_FAILED (r)
      RenderError                  ffmpeg, or what it made
        RenderFailed               RENDER_FAILED (r); `exit_code`
        RenderStalled              RENDER_STALLED (r)
        EncoderFailed              ENCODER_FAILED
        OutputInvalid              OUTPUT_INVALID (r)
      StorageError                 a disk or the artifact store
        DiskFull                   DISK_FULL (r)
        StoreUnavailable           STORE_UNAVAILABLE (r)
        ArtifactLost               ARTIFACT_LOST (r)
      ExecutionError               the process, or the execution in Temporal
        ToolMissing                TOOL_MISSING
        DeadlineExceeded           DEADLINE_EXCEEDED (r)
        WorkerLost                 WORKER_LOST (r)
        Terminated                 TERMINATED (r)
        InternalError              INTERNAL

A level is for whoever catches errors:

    >>> try:
    ...     raise InvalidRequest("60 s are allowed", field="video.preset", limit=60)
    ... except ClientError as error:
    ...     print(error.code, error.field, error.limit, "|", error)
    INVALID_REQUEST video.preset 60 | video.preset: 60 s are allowed
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


class ClientError(PicturelockError):
    """Whoever asked has to change something: `field` is its JSON path, `limit` the largest value allowed there."""

    def __init__(
        self, reason: str, *, field: str | None = None, limit: float | None = None, detail: str | None = None
    ) -> None:
        super().__init__(f"{field}: {reason}" if field else reason, detail=detail)
        self.reason = reason
        self.field = field
        self.limit = limit

    def describe(self, stage: StageName | None = None, attempt: int = 1) -> JobError:
        """The error as it travels to clients, with the field."""
        return super().describe(stage, attempt).model_copy(update={"field": self.field})


class ProviderError(PicturelockError):
    """A voice, a source of pictures or a language model did not deliver."""


class RenderError(PicturelockError):
    """ffmpeg failed, or what it made is not what was drawn."""


class StorageError(PicturelockError):
    """A disk or the artifact store cannot take or give what it should."""


class ExecutionError(PicturelockError):
    """The process or the execution in Temporal came to an end of its own."""


class InvalidScript(ClientError):
    """The script cannot become a film; the message says where."""

    code = "INVALID_SCRIPT"
    remediation = "Correct the script at the place the message names and send it again."


class InvalidRequest(ClientError):
    """The request asks for something that makes no sense together."""

    code = "INVALID_REQUEST"
    remediation = "Correct the field the message names and send it again."


class AssetError(ClientError):
    """An uploaded file that cannot be used."""


class AssetMissing(AssetError):
    """An asset id that is not in the store."""

    code = "ASSET_MISSING"
    remediation = "Upload the file with POST /api/assets and use the assetId it answers."


class AssetUnreadable(AssetError):
    """A file that is not what it should be, or is damaged."""

    code = "ASSET_UNREADABLE"
    remediation = "Open the file in a viewer, save it again as PNG, JPEG, MP4 or WAV, and upload that."


class WebhookRefused(ClientError):
    """An address that no webhook may go to."""

    code = "WEBHOOK_REFUSED"
    remediation = (
        "Name a public http or https address without credentials; private ones must be allowed in the settings."
    )


class NotOffered(ClientError):
    """Something this installation does not offer."""

    code = "NOT_OFFERED"
    remediation = "GET /api/presets and /api/voices list what this installation offers."


class VoiceUnavailable(ClientError):
    """No installed voice speaks what the script says."""

    code = "VOICE_UNAVAILABLE"
    remediation = "Choose a voice from GET /api/voices, or bring recorded narration with narrationAssetId."


class SpeechFailed(ProviderError):
    """A speech engine did not deliver."""

    code = "SPEECH_FAILED"
    remediation = "Try again; if it persists, look at the speech engine's own service."
    retryable = True


class PictureUnavailable(ClientError):
    """No stock or generated picture can be found or made for what was asked."""

    code = "PICTURE_UNAVAILABLE"
    remediation = "Ask for something else, or upload a picture and name it by its assetId."


class PictureFailed(ProviderError):
    """A source of pictures did not deliver; that may pass."""

    code = "PICTURE_FAILED"
    remediation = "Try again later; if it persists, look at the service of the stock or generated pictures."
    retryable = True


class WriterFailed(ProviderError):
    """The language model's endpoint did not answer, or answered with an error that may pass."""

    code = "WRITER_FAILED"
    remediation = "Try again later, or send a script instead of a brief."
    retryable = True


class WriterUnavailable(ClientError):
    """No writer can make a script of this brief."""

    code = "WRITER_UNAVAILABLE"
    remediation = "Send a script instead of a brief, or check the settings of the language model."


class GlyphMissing(ClientError):
    """A text with characters that no bundled font can draw."""

    code = "GLYPH_MISSING"
    remediation = "Replace the characters the message names."


class RenderFailed(RenderError):
    """ffmpeg ended with an error."""

    code = "RENDER_FAILED"
    remediation = "Retry the job; if it fails again, the detail shows what ffmpeg said."
    retryable = True

    def __init__(self, message: str, *, detail: str | None = None, exit_code: int | None = None) -> None:
        super().__init__(message, detail=detail)
        self.exit_code = exit_code
        """ffmpeg's, where it has ended by itself; None where a signal has ended it, or nothing has run."""


class RenderStalled(RenderError):
    """ffmpeg lived but did not advance within the stall threshold."""

    code = "RENDER_STALLED"
    remediation = "Retry the job; if it stalls again, look at the worker's disk and load."
    retryable = True


class EncoderFailed(RenderError):
    """A hardware encoder failed; the workflow begins again with a software encoder."""

    code = "ENCODER_FAILED"
    remediation = "Nothing: the film is made with a software encoder. Look at the worker's driver."


class OutputInvalid(RenderError):
    """A file that did not pass the verification gate."""

    code = "OUTPUT_INVALID"
    remediation = "Retry the job; the checks that failed are in the detail."
    retryable = True


class DiskFull(StorageError):
    """Not enough room for what is to be written."""

    code = "DISK_FULL"
    remediation = "Free room on the worker's scratch disk or in the store, then retry the job."
    retryable = True


class StoreUnavailable(StorageError):
    """The artifact store does not answer."""

    code = "STORE_UNAVAILABLE"
    remediation = "Check the store; the job goes on when it answers."
    retryable = True
    outage = True


class ArtifactLost(StorageError):
    """A file that was in the store is not there any more, or is damaged."""

    code = "ARTIFACT_LOST"
    remediation = "Send the request again: what is missing is made again. What was uploaded has to be uploaded again."
    retryable = True


class ToolMissing(ExecutionError):
    """ffmpeg, ffprobe or the Temporal CLI is not installed."""

    code = "TOOL_MISSING"
    remediation = "Install the package the message names, or set the program's path in the settings."


class DeadlineExceeded(ExecutionError):
    """The export took longer than it was allowed to."""

    code = "DEADLINE_EXCEEDED"
    remediation = "Retry the job: finished work is reused. Add workers if it happens again."
    retryable = True


class WorkerLost(ExecutionError):
    """The worker that had the work was not heard of again, as often as the policy allows."""

    code = "WORKER_LOST"
    remediation = "Check the workers' memory and logs, then retry the job: finished work is reused."
    retryable = True


class Terminated(ExecutionError):
    """Somebody terminated the execution in Temporal."""

    code = "TERMINATED"
    remediation = "Retry the job: finished work is reused."
    retryable = True


class InternalError(ExecutionError):
    """A programming error."""


def all_errors() -> list[type[PicturelockError]]:
    """Every error that clients can see: the leaves of the tree, in the order of the list above."""
    return [leaf for level in PicturelockError.__subclasses__() for leaf in _leaves(level)]


def _leaves(error: type[PicturelockError]) -> list[type[PicturelockError]]:
    below = error.__subclasses__()
    return [leaf for inner in below for leaf in _leaves(inner)] if below else [error]
