"""What one owner has had made is not found by another one: a film that is there at once would tell of it."""

import pytest

from picturelock.models import JobStatus
from tests.faults.stack import SMALL, create, long_script, until
from tests.security.conftest import Guarded

pytestmark = [pytest.mark.slow]


def found(job: JobStatus) -> int:
    return sum(step.cache.hits for step in job.steps if step.cache)


async def test_the_same_script_of_two_owners_is_made_twice(guarded: Guarded) -> None:
    request = {**long_script(1), "video": SMALL}
    ours = await until(guarded.http, await create(guarded.http, request), "completed")
    theirs = await until(guarded.other, await create(guarded.other, request), "completed")
    again = await until(guarded.http, await create(guarded.http, request), "completed")
    assert found(theirs) == found(ours) == 0
    assert found(again) > 0, "the control: the owner's own is found"
    assert ours.output is not None
    assert theirs.output is not None
    assert ours.output.sha256 == theirs.output.sha256, "and is the same, byte for byte"
