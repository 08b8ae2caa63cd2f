"""What a worker alone or an API alone needs: each imports without what only the other brings."""

import subprocess
import sys

import pytest

BLOCKER = """
import importlib.abc, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
"""
MEDIA = ["cv2", "numpy", "hibari", "onnxruntime", "uharfbuzz", "ffmpeg", "imageio_ffmpeg", "manimgx_fonts"]
SERVER = ["fastapi", "starlette", "uvicorn", "sse_starlette", "typer", "rich", "httpx_sse"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("blocked", "program"),
    [
        ([*MEDIA, "typer", "rich"], "from api.app import create_app; create_app().openapi()"),
        (SERVER, "import worker; worker.build_workers"),
        (
            [*MEDIA, *SERVER],
            "import picturelock.jobs.status, picturelock.temporal.reader, picturelock.script.intake",
        ),
    ],
)
def test_each_part_imports_with_its_own_extra_alone(blocked: list[str], program: str) -> None:
    code = f"BLOCKED = {blocked!r}\n{BLOCKER}\n{program}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-600:]
