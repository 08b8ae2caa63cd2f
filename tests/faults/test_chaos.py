"""A short part of `make chaos`, always the same: kill -9 of worker, API and Temporal; cancels, retries, pauses."""

from pathlib import Path

import pytest

from scripts.chaos.__main__ import play
from scripts.chaos.plan import Fault, JobPlan, Round, Wish
from scripts.chaos.stack import standing

pytestmark = pytest.mark.slow
ROUND = Round(
    name="always",
    jobs=(
        JobPlan("one", ("Twice a day the sea breathes in.", "Then it breathes out."), (Wish(1.0, "reconnect"),)),
        JobPlan("two", ("The moon pulls at water.", "It pulls for hours.", "Then it lets go.", "And pulls again."), (
            Wish(1.5, "cancel"), Wish(12.0, "retry", once_ended=True), Wish(12.0, "retry"),
        )),
        JobPlan("three", ("The water follows.",), (Wish(0.5, "pause"), Wish(3.0, "resume"))),
    ),
    faults=(
        Fault(1.2, "worker", "KILL"),
        Fault(2.0, "api", "KILL"),
        Fault(3.0, "temporal", "KILL"),
        Fault(4.5, "api", "STOP", 1.0),
    ),
)  # fmt: skip


async def test_nothing_is_lost_taken_back_or_told_twice(tmp_path: Path) -> None:
    async with standing(tmp_path, workers=1, on_s3=False) as stack:
        found, jobs = await play(stack, ROUND)
        assert found == []
        assert [job.seen.polls[-1].status for job in jobs] == ["completed"] * 3
        assert jobs[1].seen.polls[-1].attempt == 2
        assert stack.sent == {"worker KILL": 1, "api KILL": 1, "temporal KILL": 1, "api STOP": 1}
        assert stack.complaints() == []
