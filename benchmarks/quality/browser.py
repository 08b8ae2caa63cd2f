"""Whether a browser plays a film: headless Chromium, if this machine has one (it is in no package of ours)."""

import functools
import http.server
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

_PAGE = """<video id=v muted src=film.mp4></video><p id=p>waiting</p><script>
const v = document.getElementById("v"), p = document.getElementById("p");
v.onerror = () => p.textContent = "error " + v.error.message;
v.onloadedmetadata = () => { v.currentTime = v.duration - 1; v.play(); };
v.onended = () => p.textContent =
  `played ${v.videoWidth}x${v.videoHeight} ${v.duration.toFixed(3)} ${v.webkitAudioDecodedByteCount > 0}`;
</script>"""
_PLAYED = re.compile(r"played (\d+x\d+) ([\d.]+) (true|false)")


def chromium() -> str | None:
    """Path of a Chromium, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def plays(film: Path, program: str) -> str:
    """What the browser says at the film's end: size, length, and whether it decoded sound. Empty if it never ended."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "film.mp4").write_bytes(film.read_bytes())
        (Path(folder) / "index.html").write_text(_PAGE)
        handler = functools.partial(_Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            done = subprocess.run(
                [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={folder}/profile",
                 "--timeout=8000", "--dump-dom", f"http://127.0.0.1:{server.server_port}/index.html"],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            server.shutdown()
    found = _PLAYED.search(done.stdout)
    return found[0].removeprefix("played ") if found else ""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
