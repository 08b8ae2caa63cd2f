"""Whether a browser plays a film: headless Chromium, if this machine has one (it is in no package of ours)."""

import functools
import http.server
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from queue import Empty, Queue

_PAGE = """<video id=v muted src=film.mp4></video><script>
const v = document.getElementById("v");
const tell = (text) => fetch("/", { method: "POST", body: text });
v.onerror = () => tell("error: " + v.error.message);
v.onloadedmetadata = () => { v.playbackRate = 16; v.play(); };
v.onended = () => {
  const both = v.getVideoPlaybackQuality().totalVideoFrames > 0 && v.webkitAudioDecodedByteCount > 0;
  tell(`${v.videoWidth}x${v.videoHeight}, ${v.duration.toFixed(3)} s, ${both ? "picture and sound" : "not both"}`);
};
</script>"""
_SECONDS = 60.0


def chromium() -> str | None:
    """Path of a Chromium, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def plays(film: Path, program: str) -> str:
    """What the browser says when the film has come to its end; empty if it never did."""
    told: Queue[str] = Queue()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(film, Path(folder) / "film.mp4")
        (Path(folder) / "index.html").write_text(_PAGE)
        handler = functools.partial(_Stage, told, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            process = subprocess.Popen(
                [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={folder}/profile",
                 "--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/index.html"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                return told.get(timeout=_SECONDS)
            except Empty:
                return ""
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                server.shutdown()


class _Stage(http.server.SimpleHTTPRequestHandler):
    """Serves the page and the film, and hears what the page says."""

    def __init__(self, told: "Queue[str]", *rest: object, directory: str) -> None:
        self._told = told
        super().__init__(*rest, directory=directory)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        self._told.put(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
