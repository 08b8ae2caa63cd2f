"""The script of a request: written from its brief, or brought."""

from picturelock.errors import InvalidScript
from picturelock.models import ExportRequest, Script
from picturelock.reporting import Report
from picturelock.script.writers import Writer


async def write_script(request: ExportRequest, writer: Writer, report: Report) -> Script:
    """The script of a request.

    Raises:
        InvalidScript: there is neither a script nor a brief.
        WriterUnavailable, WriterFailed: see `Writer`.
    """
    if request.script is not None:
        return request.script
    if request.brief is None:
        raise InvalidScript("the request has neither a script nor a brief")
    report(0.1, "Writing the script")
    return await writer.write(request.brief)
