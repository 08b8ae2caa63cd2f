"""The whole local stack under one supervisor: Temporal dev server, workers, API.

Everything it starts ends with it, and nothing else does. A child that dies is started again. The data folder holds
the database, the store and the logs, and survives a restart of everything.
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final, NamedTuple

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from picturelock.cli.child import Child
from picturelock.cli.folder import (
    SERVER_SECRET,
    START_SECONDS,
    STATE_FILE,
    WEBHOOK_SECRET,
    StackError,
    own_secret,
    take_lock,
)
from picturelock.cli.ports import HOST, choose
from picturelock.cli.temporal_server import ServerPorts, keep_closed_jobs, server_command
from picturelock.concurrency import race
from picturelock.temporal.connection import QUICK, connect

_DRAIN_SECONDS: Final = "3"
_OURS: Final = (sys.executable, "-P", "-m")
"""Runs modules of ours, whatever the current folder calls its own."""

_READY_FOLDER: Final = "ready"
_POLL_SECONDS: Final = 0.05
_RESTART_SECONDS: Final = 1.0
_SHORT_LIFE_SECONDS: Final = 10.0
"""What dies sooner is started again only after a pause."""

_BACKLOG: Final = 4096
_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - listened on only when asked for, and with keys


class Ports(NamedTuple):
    """The ports that are asked for; 0 is any free one."""

    api: int
    temporal: int
    ui: int


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What is to be started. `keys`: whether the API asks for keys."""

    data: Path
    ports: Ports
    workers: int = 1
    host: str = HOST
    keys: bool = False
    insecure: bool = False
    ui: bool = True
    while_used: bool = False
    """Whether it was started for commands that hold leases (`picturelock.cli.lease`) and ends with the last of them."""


@dataclass(slots=True)
class Stack:
    """The running stack: its addresses and its processes."""

    plan: StackPlan
    data: Path
    api_port: int
    temporal_port: int
    ui_port: int
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    _lock: IO[str] | None = None
    _listener: socket.socket | None = None
    """The API's. It is the supervisor's: while a dead API is started again, its clients wait instead of failing."""

    _secret: str = ""
    _server_secret: str = ""
    _watch: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        """Address of the API."""
        host = HOST if self.plan.host in _ANY else self.plan.host
        return f"http://[{host}]:{self.api_port}" if ":" in host else f"http://{host}:{self.api_port}"

    @property
    def ui_url(self) -> str:
        """Address of the Temporal UI."""
        return f"http://{HOST}:{self.ui_port}"

    def describe(self) -> dict[str, object]:
        """Addresses and process ids, as `--json` prints them."""
        pids = {child.name: child.pid for child in self.children}
        return {
            "api": self.api_url,
            "temporal": f"{HOST}:{self.temporal_port}",
            "ui": self.ui_url if self.plan.ui else None,
            "pids": pids,
        }

    async def start(self) -> None:
        """Starts everything and waits until it is ready.

        Raises:
            StackError: the data folder is in use, or something did not become ready.
        """
        _require_installed()
        os.umask(0o077)  # scripts, films and logs are nobody else's; the children inherit it
        self._lock = await take_lock(self.data)
        self._secret = os.environ.get("PICTURELOCK_WEBHOOK_SECRET") or own_secret(self.data, WEBHOOK_SECRET)
        self._server_secret = os.environ.get("PICTURELOCK_SERVER_SECRET") or own_secret(self.data, SERVER_SECRET)
        for folder in ("logs", _READY_FOLDER):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        self.children = self._plan()
        temporal, *rest = self.children
        await temporal.start()
        client = await self._temporal_ready()
        await keep_closed_jobs(client)
        await asyncio.gather(*(child.start() for child in rest))
        self._write_state()
        await asyncio.gather(self._api_ready(), self._workers_ready())
        if not self.plan.while_used:  # a single command's stack lives for a moment, and its cores are for the film
            await asyncio.gather(*(child.start_ahead() for child in self.children))
        self._watch = [asyncio.create_task(self._keep_alive(child)) for child in self.children]

    async def stop(self) -> None:
        """Ends what was started, the database last."""
        for task in self._watch:
            task.cancel()
        await asyncio.gather(*self._watch, return_exceptions=True)
        if self.children:
            await asyncio.gather(*(child.stop() for child in self.children[1:]))
            await self.children[0].stop()
        if self._listener is not None:
            self._listener.close()
        if self._lock is not None:
            (self.data / STATE_FILE).unlink(missing_ok=True)
            self._lock.close()

    def _plan(self) -> list[Child]:
        environment = {
            **_python_path(),
            "TEMPORAL_ADDRESS": f"{HOST}:{self.temporal_port}",
            "PICTURELOCK_DATA_DIR": str(self.data),
            "PICTURELOCK_SERVER_SECRET": self._server_secret,
            "PICTURELOCK_AUTHENTICATION": "keys" if self.plan.keys else "off",
            "PICTURELOCK_WEBHOOK_SECRET": self._secret,
        }
        if self.plan.ui:
            environment["PICTURELOCK_TEMPORAL_UI_URL"] = self.ui_url
        environment.setdefault("PICTURELOCK_DRAIN_SECONDS", os.environ.get("PICTURELOCK_DRAIN_SECONDS", _DRAIN_SECONDS))
        logs = self.data / "logs"
        children = [Child("temporal", server_command(self._temporal_ports(), self.data), {}, logs / "temporal.log")]
        for number in range(1, self.plan.workers + 1):
            name = "worker" if number == 1 else f"worker-{number}"
            command = [*_OURS, "worker", "--role", "all", "--ready-file", str(self._ready_file(name))]
            children.append(Child(name, command, environment, logs / f"{name}.log"))
        self._listener = listener = _listen(self.plan.host, self.api_port)
        command = [*_OURS, "api", "--fd", str(listener.fileno()), "--when-told"]
        if self.plan.insecure:
            command.append("--insecure")
        api = Child("api", command, environment, logs / "api.log", (listener.fileno(),), begins_when_told=True)
        children.append(api)
        return children

    def _temporal_ports(self) -> ServerPorts:
        return ServerPorts(self.temporal_port, self.ui_port if self.plan.ui else None)

    def _require_alive(self, name: str) -> None:
        for child in self.children:
            if child.name.startswith(name) and child.process and child.process.returncode is not None:
                raise StackError(f"the {child.name} ended at once; see {child.log}")

    async def _temporal_ready(self) -> Client:
        async with self._deadline("the Temporal dev server"):
            while True:
                self._require_alive("temporal")
                with contextlib.suppress(RuntimeError, RPCError):
                    return await connect(
                        retry_config=QUICK, environment={"TEMPORAL_ADDRESS": f"{HOST}:{self.temporal_port}"}
                    )
                await asyncio.sleep(_POLL_SECONDS)

    async def _api_ready(self) -> None:
        async with self._deadline("the API"), httpx.AsyncClient(timeout=2) as client:
            while True:
                self._require_alive("api")
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.api_url}/readyz")).is_success:
                        return
                await asyncio.sleep(_POLL_SECONDS)

    async def _workers_ready(self) -> None:
        """Ready when each worker has said so. The server need not be able to list them."""
        workers = [child for child in self.children if child.name.startswith("worker")]
        async with self._deadline("the worker"):
            while not all(self._has_said_so(child) for child in workers):
                self._require_alive("worker")
                await asyncio.sleep(_POLL_SECONDS)

    def _has_said_so(self, child: Child) -> bool:
        with contextlib.suppress(OSError):
            return self._ready_file(child.name).read_text() == str(child.pid)
        return False

    def _ready_file(self, name: str) -> Path:
        return self.data / _READY_FOLDER / name

    @asynccontextmanager
    async def _deadline(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(START_SECONDS):
                yield
        except TimeoutError as error:
            raise StackError(f"{what} was not ready in {START_SECONDS:.0f} s; see {self.data / 'logs'}") from error

    def _write_state(self) -> None:
        temporary = self.data / f"{STATE_FILE}.tmp"
        state = {**self.describe(), "supervisor": os.getpid(), "whileUsed": self.plan.while_used}
        temporary.write_text(json.dumps(state))
        temporary.replace(self.data / STATE_FILE)

    async def _keep_alive(self, child: Child) -> None:
        """Starts a child again whenever it dies: at once, but for one that has not lived for long."""
        began = float("-inf")
        while child.process is not None:
            # Its own pid is awaited: a port that answers may be somebody else's.
            code = await child.process.wait()
            self.say(f"the {child.name} ended with {code}; starting it again")
            if time.monotonic() - began < _SHORT_LIFE_SECONDS:
                await asyncio.sleep(_RESTART_SECONDS)
            began = time.monotonic()
            try:
                await child.start()
                self._write_state()
                await child.start_ahead()
            except OSError as error:  # no process or no file may be had just now: what has ended is tried again
                self.say(f"the {child.name} could not be started: {error.strerror}")


def _listen(host: str, port: int) -> socket.socket:
    """The API's listening socket. Raises StackError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise StackError(f"the API cannot listen on {host}:{port}: {error.strerror}") from error


def _python_path() -> dict[str, str]:
    """Has the children of a checkout run its own code, which need not be the one that is installed."""
    ours = str(Path(__file__).parents[2])
    if ours == sysconfig.get_path("purelib"):
        return {}
    return {"PYTHONPATH": os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _require_installed() -> None:
    """Raises StackError, with what to install, where this installation cannot run a worker or an API."""
    missing = [name for name in ("cv2", "hibari", "fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise StackError(
            f"this installation cannot run a stack ({', '.join(missing)} is not installed): "
            "pip install 'picturelock[local]', or name an API with --api"
        )


@asynccontextmanager
async def running(plan: StackPlan, *, say: Callable[[str], None], stop: asyncio.Event) -> AsyncIterator[Stack]:
    """The stack, for as long as the block runs. `stop` ends the start-up early; the block then finds it set."""
    stack = Stack(
        plan=plan,
        data=plan.data.resolve(),
        api_port=choose(plan.ports.api, "API", say),
        temporal_port=choose(plan.ports.temporal, "Temporal server", say),
        ui_port=choose(plan.ports.ui, "Temporal UI", say) if plan.ui else 0,
        say=say,
    )
    try:
        await race(stack.start(), stop.wait())
        yield stack
    finally:
        await asyncio.shield(stack.stop())
        # Temporal's core lets go of its threads shortly after (sdk-python #300).
        await asyncio.sleep(0.05)
