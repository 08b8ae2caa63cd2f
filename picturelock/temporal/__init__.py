"""Reads Temporal: describe, query and memo become one `Observation`, and that becomes one `JobStatus`."""
