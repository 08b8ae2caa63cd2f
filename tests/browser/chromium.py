"""Drives a headless Chromium through its debugging protocol (https://chromedevtools.github.io/devtools-protocol/).

Chromium is Debian's package; `scripts/install-chromium` installs it where it may.
"""

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip


@dataclass
class Tab:
    """One page of the browser."""

    socket: Any
    session: str
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """What went wrong in the page: exceptions, refused resources."""

    requests: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Takes what the browser says, for as long as it does."""
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message and (waiting := self._waiting.pop(message["id"], None)):
                waiting.set_result(message)
            elif message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"].get("exception", {}).get("description")))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(message["params"]["entry"]["text"])
            elif message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])

    async def send(self, method: str, **params: object) -> dict[str, Any]:
        """A command of the protocol; its result."""
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.socket.send(
            json.dumps({"id": number, "sessionId": self.session, "method": method, "params": params})
        )
        answer = await asyncio.wait_for(waiting, 30)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, condition: str, seconds: float = 20) -> Any:
        """The value of an expression as soon as it is true."""
        asked = f"(() => {{ const value = ({condition}); return value instanceof Node ? true : value; }})()"
        async with asyncio.timeout(seconds):
            while not (value := await self.run(asked)):
                await asyncio.sleep(0.1)
            return value

    async def go(self, url: str) -> None:
        """Opens an address."""
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def press(self, *keys: str) -> None:
        """Presses keys by their names, such as Tab and Enter."""
        for key in keys:
            text = {"Enter": "\r", "Space": " "}.get(key)
            code = {"Tab": 9, "Enter": 13, "Space": 32}.get(key, 0)
            name = " " if key == "Space" else key
            for kind in ("keyDown", "keyUp"):
                more = {"text": text} if text and kind == "keyDown" else {}
                await self.send("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **more)

    async def screenshot(self, path: Path) -> None:
        """What is seen, as PNG."""
        answer = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def shape(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """The window's size in CSS pixels, and whether its user likes it dark."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[feature])

    async def offline(self, *, yes: bool) -> None:
        """Takes the network away, or gives it back."""
        await self.send(
            "Network.emulateNetworkConditions", offline=yes, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )


@asynccontextmanager
async def opened() -> AsyncIterator[Tab]:
    """A browser of its own with one tab; it ends with the block."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            address = await asyncio.wait_for(_address(process), 30)
            async with websockets.connect(address, max_size=64_000_000, proxy=None) as socket:
                tab = await _tab(socket)
                yield tab
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        _, found, address = line.decode().partition("DevTools listening on ")
        if found:
            return address.strip()
    raise AssertionError("Chromium did not start")


async def _tab(socket: Any) -> Tab:
    async def ask(number: int, method: str, **params: object) -> dict[str, Any]:
        await socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async for text in socket:
            message = json.loads(text)
            if message.get("id") == number:
                result: dict[str, Any] = message["result"]
                return result
        raise AssertionError("Chromium has gone")

    target = (await ask(-1, "Target.createTarget", url="about:blank"))["targetId"]
    session = (await ask(-2, "Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
    tab = Tab(socket, session)
    tab.listener = asyncio.create_task(tab.listen())  # type: ignore[attr-defined]
    for domain in ("Page", "Runtime", "Log", "Network"):
        await tab.send(f"{domain}.enable")
    return tab
