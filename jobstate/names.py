"""The names under which the workflow and its readers know each other."""

from typing import Final

EXPORT_WORKFLOW: Final = "ExportWorkflow"
STATUS_QUERY: Final = "status"
JOB_MEMO: Final = "job"
SNAPSHOT_MEMO: Final = "snapshot"
