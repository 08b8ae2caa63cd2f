"""Files of strangers: two faces, other files inside, and what a decoder can see of its parent."""

import asyncio
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from picturelock.errors import AssetUnreadable
from picturelock.ffmpeg import confinement, runner
from picturelock.ffmpeg.foreign import DEMUXERS, foreign_input, require_one_face
from picturelock.ffmpeg.process import capture
from picturelock.ffmpeg.samples import decode_file
from picturelock.ffmpeg.tools import ffmpeg_path, ffprobe_path
from picturelock.store.assets import identify

PRIVATE_HERTZ = 1_000


def make(path: Path, *arguments: str) -> Path:
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *arguments, str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest that names a private recording, with the frames of an MP3 in a comment behind it."""
    folder = tmp_path_factory.mktemp("faces")
    make(folder / "private.m4a", "-f", "lavfi", "-i", f"sine={PRIVATE_HERTZ}:d=2")
    frames = 400 * (b"\xff\xfb\x90\x64" + 413 * b"U")  # 128 kbit/s, and nothing that XML forbids
    manifest = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT2S" minBufferTime="PT1S">
<Period duration="PT2S"><AdaptationSet contentType="audio" mimeType="audio/mp4">
<Representation id="0" bandwidth="64000"><BaseURL>{folder / "private.m4a"}</BaseURL></Representation>
</AdaptationSet></Period></MPD>
"""
    path = folder / "upload"  # as it is stored: without a name that says what it should be
    path.write_bytes(manifest.encode() + b"<!--" + frames + b"-->")
    return path


def loudness_at(samples: np.ndarray, hertz: int) -> float:
    """How loud a tone is in 48 kHz samples, between 0 and 1."""
    wave = np.exp(-2j * math.pi * hertz * np.arange(len(samples)) / 48_000)
    return float(abs(np.dot(samples, wave)) * 2 / max(1, len(samples)))


def test_the_two_programs_see_different_things(two_faces: Path) -> None:
    """What makes the file dangerous: without that, the tests below prove nothing."""
    said = subprocess.run([ffmpeg_path(), "-i", str(two_faces)], capture_output=True, text=True, check=False).stderr
    assert "Input #0, dash" in said
    probed = subprocess.run(
        [ffprobe_path(), "-v", "error", "-show_entries", "format=format_name", "-of", "csv=p=0", str(two_faces)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert probed.stdout.strip() == "mp3"


async def test_what_the_decoder_takes_for_something_else_is_refused_when_it_comes(two_faces: Path) -> None:
    with pytest.raises(AssetUnreadable):
        await identify(two_faces)
    with pytest.raises(AssetUnreadable):
        await require_one_face(two_faces)


async def test_and_reads_no_other_file_if_it_is_there_already(two_faces: Path) -> None:
    """One that was taken by an earlier version: at its use it is what it was found to be, and nothing else."""
    try:
        samples = await decode_file(two_faces, 60)
    except AssetUnreadable:
        return
    assert loudness_at(samples, PRIVATE_HERTZ) < 1e-3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXTINF:2,\n{private}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '{private}'\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n"),
    ],
)
async def test_lists_of_other_files_are_refused(name: str, text: str, two_faces: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text.format(private=two_faces.parent / "private.m4a"))
    with pytest.raises(AssetUnreadable):
        await identify(path)
    with pytest.raises(AssetUnreadable):
        await decode_file(path, 60)


async def test_every_kind_that_is_taken_is_taken_still(tmp_path: Path) -> None:
    """The control: each container, opened by its own demuxer."""
    tone = ["-f", "lavfi", "-i", f"sine={PRIVATE_HERTZ}:d=1"]
    for name in ("a.wav", "a.mp3", "a.flac", "a.ogg", "a.aac", "a.aiff", "a.m4a", "a.webm"):
        path = make(tmp_path / name, *tone)
        assert (await identify(path)).kind == "audio"
        assert loudness_at(await decode_file(path, 60), PRIVATE_HERTZ) > 0.05, name


def test_other_demuxers_open_nothing(tmp_path: Path) -> None:
    for demuxer in ("dash", "hls", "concat", "image2", "lavfi", "", "mov"):
        with pytest.raises(AssetUnreadable):
            foreign_input(tmp_path, demuxer)
    assert all("-f" in foreign_input(tmp_path, demuxer) for demuxer in DEMUXERS)


SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "s3", "PICTURELOCK_LLM_API_KEY": "llm", "PICTURELOCK_WEBHOOK_SECRET": "whsec_",
    "TEMPORAL_API_KEY": "temporal", "DATABASE_URL": "postgres",
}  # fmt: skip


async def test_no_decoder_sees_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    code, output, _ = await capture([sys.executable, "-c", "import os; print(sorted(os.environ))"], 20)
    assert code == 0
    assert not [name for name in SECRETS if name in output.decode()]
    assert "PATH" in output.decode()


async def test_the_ffmpeg_that_encodes_sees_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    seen: list[str] = []

    def look(progress: runner.Progress) -> None:
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and not seen:
                try:
                    parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    if parent == os.getpid() and b"sine" in (folder / "cmdline").read_bytes():
                        seen.append((folder / "environ").read_text())
                except OSError:
                    continue

    await runner.run(["-re", "-f", "lavfi", "-i", "sine=d=1", "-f", "null", "-"], stall_seconds=20, on_progress=look)
    assert seen
    assert not [name for name in SECRETS if name in seen[0]]


async def test_a_probe_takes_no_more_memory_than_it_may() -> None:
    command = confinement.confined(
        [sys.executable, "-c", "x = bytearray(2 * 1024**3); print('taken')"], confinement.PROBE
    )
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert (b"taken" in output, b"MemoryError" in errors) == (False, True)
