"""The status and the stream that the reference shows: one job, looked at from its queue to its film, word for word."""

from scripts import reference


def test_the_finished_job_is_told_as_in_the_reference() -> None:
    assert reference.STATUS.read_text() == reference.example_status()


def test_its_stream_is_told_as_in_the_reference() -> None:
    assert reference.EVENTS.read_bytes() == reference.example_events()
