"""The wheel: built, installed without a compiler and without the checkout, used from another folder."""

import asyncio
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from picturelock import __version__
from picturelock.ffmpeg.probe import probe

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
UV = Path(sysconfig.get_path("scripts")) / "uv"
PYTHONS = ("3.11", "3.12", "3.13")
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PICTURELOCK_", "VIRTUAL"))},
    "CC": "/bin/false", "CXX": "/bin/false", "UV_NO_CONFIG": "1",
}  # fmt: skip


def run(*command: object, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(one) for one in command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


def interpreter(version: str) -> Path | None:
    """A Python of that version on this machine: on the PATH, or among pyenv's."""
    if sys.version.startswith(f"{version}."):
        return Path(sys.executable)
    there = shutil.which(f"python{version}")  # pyenv's may be there and not work
    found = [*([Path(there)] if there else []), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    return next((one for one in found if works(one, version)), None)


def works(python: Path, version: str) -> bool:
    told = subprocess.run([python, "--version"], capture_output=True, text=True, check=False).stdout
    return told.startswith(f"Python {version}.")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    run(*command, folder=folder)
    [built] = folder.glob("picturelock-*.whl")
    return built


def environment(folder: Path, python: Path) -> Path:
    """A new, empty environment; its scripts' folder."""
    run(UV, "venv", "--quiet", "--python", python, folder / "venv", folder=folder)
    return folder / "venv" / "bin"


def install(scripts: Path, *what: object) -> None:
    folder = scripts.parent.parent
    run(UV, "pip", "install", "--quiet", "--only-binary", ":all:", "--python", scripts / "python", *what, folder=folder)


@pytest.mark.parametrize("version", PYTHONS)
async def test_a_film_is_exported_by_an_installation_without_checkout_or_compiler(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    scripts = await asyncio.to_thread(environment, tmp_path, python)
    await asyncio.to_thread(install, scripts, "--require-hashes", "-r", ROOT / "requirements" / "local.lock")
    await asyncio.to_thread(install, scripts, "--no-deps", wheel)
    assert run(scripts / "picturelock", "--version", folder=tmp_path).stdout == f"picturelock {__version__}\n"
    where = run(scripts / "python", "-c", "import picturelock; print(picturelock.__file__)", folder=tmp_path).stdout
    assert str(tmp_path) in where, "the installed one is used"
    (tmp_path / "film.md").write_text("# Film\n\nOne short sentence.\n")
    await asyncio.to_thread(run, scripts / "picturelock", "export", "film.md", "--preset", "preview", folder=tmp_path)
    video = (await probe(tmp_path / "film.mp4")).first("video")
    assert video is not None
    aligns = "from picturelock.speech.alignment import available; print(available())"
    assert run(scripts / "python", "-c", aligns, folder=tmp_path).stdout == "True\n"


def test_a_bare_installation_says_what_to_add(wheel: Path, tmp_path: Path) -> None:
    scripts = environment(tmp_path, Path(sys.executable))
    install(scripts, wheel)
    said = run(scripts / "picturelock", "--version", folder=tmp_path, code=2)
    assert "pip install 'picturelock[local]'" in said.stderr
    assert "Traceback" not in said.stderr


def test_the_command_alone_says_what_a_stack_needs(wheel: Path, tmp_path: Path) -> None:
    scripts = environment(tmp_path, Path(sys.executable))
    install(scripts, f"picturelock[cli] @ {wheel.as_uri()}")
    assert run(scripts / "picturelock", "--version", folder=tmp_path).stdout == f"picturelock {__version__}\n"
    (tmp_path / "film.md").write_text("# Film\n\nOne short sentence.\n")
    said = run(scripts / "picturelock", "export", "film.md", folder=tmp_path, code=2)
    assert "pip install 'picturelock[local]'" in said.stderr
    assert "--api" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("version", "platform", "aligns"),
    [("3.12", "aarch64-manylinux_2_28", False), ("3.14", "x86_64-manylinux_2_28", False),
     ("3.13", "aarch64-manylinux_2_28", True)],
)  # fmt: skip
def test_where_there_is_no_aligner_everything_else_installs(
    version: str, platform: str, aligns: bool, tmp_path: Path
) -> None:
    resolved = run(
        UV, "pip", "compile", "--quiet", "--only-binary", ":all:", "--python-version", version, "--python-platform",
        platform, "--no-header", "--no-annotate", *("--extra", "worker", "--extra", "api", "--extra", "cli"),
        ROOT / "pyproject.toml", folder=tmp_path,
    ).stdout  # fmt: skip
    assert "hibari-tts" in resolved
    assert ("pocketsphinx" in resolved) == aligns
