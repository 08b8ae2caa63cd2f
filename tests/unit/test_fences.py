"""The fences between packages: what may not be imported fails `make lint`, wherever it is tried."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import temporalio.activity

import worker
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, RENDER_QUEUE
from picturelock.temporal.contracts import ACTIVITIES, activity_named

ROOT = Path(__file__).parents[2]
TRESPASSES = {
    "picturelock/finalize/publish.py": "import subprocess",
    "picturelock/finalize/mux.py": "import obstore",
    "picturelock/render/segment.py": "import subprocess",
    "picturelock/render/hardware.py": "import obstore",
    "picturelock/jobs/webhooks.py": "import subprocess",
    "picturelock/composition/visuals/provide.py": "import httpx",
    "picturelock/speech/openai.py": "import httpx",
    "workflows/cancellation.py": "import httpx",
    "workflows/export.py": "from picturelock.finalize.publish import Finisher",
    "workflows/pipeline.py": "import activities.render",
    "picturelock/models/film.py": "import picturelock.store.store",
    "picturelock/text/ass.py": "import picturelock.render.i420",
    "picturelock/pipeline.py": "import temporalio",
    "picturelock/jobs/status.py": "import picturelock.settings",
    "picturelock/http_client.py": "import fastapi",
    "api/jobs.py": "import cv2",
    "picturelock/cli/display.py": "import temporalio",
}


@pytest.mark.slow
def test_every_trespass_breaks_the_lint(tmp_path: Path) -> None:
    for name in ("picturelock", "activities", "workflows", "api"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in TRESPASSES.items():
        path = tmp_path / name
        path.write_text(f"{path.read_text()}\n{line}\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-1_000:]
    for name, line in TRESPASSES.items():
        module = name.removesuffix(".py").replace("/", ".")
        imported = line.split()[1]
        assert f"{module} -> {imported}" in done.stdout, f"{name}: {line}"


def test_a_module_without_a_place_breaks_the_lint_too(tmp_path: Path) -> None:
    for name in ("picturelock", "activities", "workflows", "api"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "picturelock" / "loose.py").write_text('"""No package of it has a place for this."""\n')
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "loose" in done.stdout) == (1, True), done.stdout[-1_000:]


def test_workflows_load_no_io_library() -> None:
    """What a workflow imports is loaded in its sandbox, and decides how quickly it is: no network, store or pixels."""
    program = (
        "import sys, importlib, pathlib\n"
        "for path in pathlib.Path('workflows').glob('*.py'):\n"
        "    importlib.import_module(f'workflows.{path.stem}')\n"
        "names = {'httpx', 'obstore', 'pydantic_settings', 'numpy', 'cv2', 'PIL', 'ffmpeg', 'hibari', 'markdown_it'}\n"
        "print(sorted(names & {name.split('.')[0] for name in sys.modules}))\n"
        "print(sorted(name for name in sys.modules if name.startswith(('activities', 'api', 'picturelock.store'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]


def test_a_command_loads_neither_a_client_of_temporal_nor_what_makes_films() -> None:
    """Before it can ask anything, somebody waits for it."""
    program = (
        "import sys, picturelock.cli.main\n"
        "names = {'temporalio', 'numpy', 'cv2', 'PIL', 'fastapi', 'mcp', 'hibari', 'typst'}\n"
        "print(sorted(names & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_activity_has_a_contract_of_its_own() -> None:
    assert len({activity.name for activity in ACTIVITIES}) == len(ACTIVITIES)
    assert all(activity_named(activity.name) is activity for activity in ACTIVITIES)
    assert activity_named("dance") is None
    assert {activity.queue for activity in ACTIVITIES} == {EXPORTS_QUEUE, RENDER_QUEUE, CONTROL_QUEUE}
    beside = {activity.name for activity in ACTIVITIES if activity.stage is None}
    assert beside == {
        "pause_activities", "unpause_activities", "read_fractions", "archive_job", "deliver_webhook", "evict_cache"
    }  # fmt: skip


def test_a_worker_serves_every_activity_in_the_queue_of_its_contract() -> None:
    served = {
        queue: {temporalio.activity._Definition.must_from_callable(function).name for function in functions}
        for queue, functions in worker.ACTIVITIES.items()
    }
    assert served == {
        queue: {activity.name for activity in ACTIVITIES if activity.queue == queue}
        for queue in (EXPORTS_QUEUE, RENDER_QUEUE, CONTROL_QUEUE)
    }
