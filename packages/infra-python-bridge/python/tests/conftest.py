"""A supervisor in Python, so that the zygote and its runners can be tested on every interpreter without Node."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
END_MARK_BYTES = b"\0end-mark-of-the-tests-b"
OUT = struct.Struct("!II")
IN = struct.Struct("!BBIII")
HELLO, RESULT, OUTPUT, CONCURRENT, STALE, CHUNK, PROGRESS, IMPORTS, RETIRE = 1, 2, 3, 4, 5, 6, 7, 8, 9
SUCCESS, JSON, MARKED = 1, 2, 4


class Frame(NamedTuple):
    kind: int
    flags: int
    request: int
    header: dict[str, Any]
    body: bytes


class RunnerHandle:
    """The supervisor's two connections and the pipe of one runner."""

    def __init__(self, pid: int, data: socket.socket, control: socket.socket, pipe: str) -> None:
        self.pid, self.data, self.control = pid, data, control
        self.pipe = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.frames: list[Frame] = []
        self.output = b""
        self.next = 1

    def send(self, request: dict[str, Any], **header: Any) -> int:
        number, self.next = self.next, self.next + 1
        head = json.dumps({"id": number, "epoch": 0, **header}).encode()
        body = json.dumps(request).encode()
        self.data.sendall(OUT.pack(len(head), len(body)) + head + body)
        return number

    def receive(self, kind: int = RESULT) -> Frame:
        while True:
            frame = self._read_frame()
            assert frame.kind != STALE or kind == STALE, "the request was handed back"
            if frame.kind == kind:
                self._read_pipe()
                return frame
            self.frames.append(frame)

    def run(self, code: str, name: str = "f", **fields: Any) -> Frame:
        header = fields.pop("header", {})
        self.send({"function_name": name, "function_code": code, "serialization_format": "json", **fields}, **header)
        return self.receive()

    def value(self, code: str, **fields: Any) -> Any:
        frame = self.run(code, **fields)
        assert frame.flags & SUCCESS, frame.header["error"]
        return json.loads(frame.body)

    def error(self, code: str, **fields: Any) -> str:
        frame = self.run(code, **fields)
        assert not frame.flags & SUCCESS
        return frame.header["error"]

    def retirement(self) -> dict[str, str]:
        """Why the runner takes no more function requests."""
        known = [frame for frame in self.frames if frame.kind == RETIRE]
        frame = known[0] if known else self.receive(RETIRE)
        return json.loads(frame.body)

    def printed(self) -> str:
        self._read_pipe()
        text, self.output = self.output.replace(END_MARK_BYTES, b""), b""
        return text.decode()

    def hear(self, text: str) -> None:
        """Waits until it has printed this."""

        def is_heard() -> bool:
            self._read_pipe()
            return text.encode() in self.output

        eventually(is_heard)

    def cancel(self, request: int, again: bool = False) -> None:
        self.control.sendall(json.dumps({"cancel": request, "again": again}).encode() + b"\n")

    def _read_frame(self) -> Frame:
        self.data.settimeout(60)
        kind, flags, request, header_length, body_length = IN.unpack(self._exactly(IN.size))
        header = self._exactly(header_length)
        return Frame(kind, flags, request, json.loads(header) if header else {}, self._exactly(body_length))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            # The pipe is emptied all along, or a runner that prints much would wait for ever.
            ready, _, _ = select.select([self.data, self.pipe], [], [], 60)
            if self.pipe in ready:
                self._read_pipe()
            if self.data in ready:
                piece = self.data.recv(count - len(data))
                assert piece, "the runner is gone"
                data += piece
            assert ready, "nothing came for 60 s"
        return data

    def _read_pipe(self) -> None:
        try:
            while data := os.read(self.pipe, 65536):
                self.output += data
        except BlockingIOError:
            pass


class Supervisor:
    """Starts a zygote and forks runners from it."""

    def __init__(self, directory: Path, flags: tuple[str, ...] = (), **options: Any) -> None:
        self.directory = directory
        start: dict[str, Any] = {
            "lean": False,
            "record_imports": False,
            "directory": str(directory),
            "completion_file": None,
        }
        start |= {"completion_file": None, "preimport_seconds": 20, "preimport_bytes": 1 << 30, "preimport": [], **options}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(directory / "supervisor.sock"))
        self.listener.listen()
        self.listener.settimeout(60)
        ours, theirs = socket.socketpair()
        code = f"import os, sys; os.dup2({theirs.fileno()}, 3); sys.path.insert(0, {str(ROOT)!r})\n"
        code += "from flash_runner.zygote import start; start.main()"
        command = [sys.executable, *flags, "-c", code]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.control = ours
        self.tell("start", *start.values())
        self.control.settimeout(60)
        self.lines = self.control.makefile("r", encoding="utf-8")
        self.count = 0
        self.ready = self.event("ready", "failed")

    def tell(self, *words: Any) -> None:
        self.control.sendall(" ".join(map(_word, words)).encode() + b"\n")

    def event(self, *names: str) -> dict[str, Any]:
        while True:
            event: dict[str, Any] = json.loads(self.lines.readline())
            if event["event"] in names:
                return event

    def fork(self, **settings: Any) -> RunnerHandle:
        number, self.count = self.count, self.count + 1
        bounds = [settings.get("max_response_bytes", 1 << 20), settings.get("reuses", True)]
        self.tell(
            "fork",
            number,
            END_MARK_BYTES,
            *bounds,
            settings.get("max_bytes_left", 1 << 28),
            settings.get("max_descriptors_left", 256),
        )
        pid = self.event("forked")["pid"]
        connections = {}
        for _ in range(2):
            connection, _ = self.listener.accept()
            _, _, _, header_length, _ = IN.unpack(connection.recv(IN.size))
            connections[json.loads(connection.recv(header_length))["channel"]] = connection
        return RunnerHandle(pid, connections["data"], connections["control"], str(self.directory / f"{number}.0.out"))

    def kill(self, number: int) -> None:
        self.tell("kill", number)

    def close(self) -> None:
        self.lines.close()
        self.control.close()
        self.process.wait(60)


def _word(value: Any) -> str:
    """A word of the zygote's commands: numbers and what says what to do as they are, all else in hexadecimal."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int) or value in ("start", "fork", "kill"):
        return str(value)
    if isinstance(value, list):
        value = ",".join(value)
    return (value.encode() if isinstance(value, str) else value or b"").hex() or "-"


@contextlib.contextmanager
def started_supervisor(**options: Any) -> Iterator[Supervisor]:
    """A supervisor whose zygote is started with these options."""
    # A Unix socket's path must be short; pytest's own directories may not be.
    directory = Path(f"/tmp/fr-{os.getpid()}-{time.monotonic_ns()}")
    directory.mkdir(mode=0o700)
    started = Supervisor(directory, **options)
    yield started
    started.close()
    subprocess.run(["rm", "-rf", str(directory)], check=True)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with started_supervisor() as started:
        yield started


@pytest.fixture
def runner(supervisor: Supervisor) -> RunnerHandle:
    return supervisor.fork()


def encode(value: Any) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds; the bound is wide, since a busy machine takes its time."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it is still not so after a minute"
        time.sleep(0.01)


__all__ = [
    "CHUNK",
    "CONCURRENT",
    "IMPORTS",
    "MARKED",
    "OUTPUT",
    "PROGRESS",
    "RETIRE",
    "STALE",
    "SUCCESS",
    "RunnerHandle",
    "Supervisor",
    "alive",
    "encode",
    "eventually",
    "signal",
    "started_supervisor",
]
