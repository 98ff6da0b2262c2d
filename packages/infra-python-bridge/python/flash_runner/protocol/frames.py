"""Length-prefixed frames between the supervisor and a runner.

Supervisor to runner: ``header length, body length`` (two unsigned 32-bit integers, network order), JSON header, body.
Runner to supervisor: ``kind, flags`` (a byte each), ``request id, header length, body length``, JSON header, body.
"""

from __future__ import annotations

import _socket
import os
import socket
import struct
import threading
import time
from typing import Any, NamedTuple

from .connection import connect
from .header import decode

_INCOMING = struct.Struct("!II")
_OUTGOING = struct.Struct("!BBIII")

# Kinds of frames a runner sends; the first is that of connection.py.
RESULT = 2
OUTPUT = 3
CONCURRENT = 4
STALE = 5
CHUNK = 6
PROGRESS = 7
IMPORTS = 8
RETIRE = 9

# Flags of a result.
FLAG_SUCCESS = 1
FLAG_JSON = 2
FLAG_END_MARK = 4
FLAG_RAW = 8

_RECEIVE_BYTES = 64 * 1024

# User code may replace these functions in their modules; what the runner answers must not depend on that. For the same
# reason its connection is an object of ``_socket``, whose methods can't be replaced.
_len, _fstat, _exit = len, os.fstat, os._exit


class Request(NamedTuple):
    """One frame of the supervisor: a small header and the request's own JSON text."""

    header: dict[str, Any]
    body: bytearray | memoryview


class Disconnected(Exception):
    """The supervisor has closed the connection: no request will come any more."""


class Channel:
    """The data connection of a runner. Sending is safe from any thread; receiving belongs to the main thread."""

    def __init__(self, path: str, runner: int, connection: int) -> None:
        """``connection``: descriptor of a connection that is open already."""
        self._path = path
        self._runner = runner
        self._is_own_process = True
        os.register_at_fork(after_in_child=self._disown)
        self._lock = threading.Lock()
        self._buffer = bytearray()
        # The buffer is kept, as the system would map and unmap a new one of this size for every request.
        self._chunk = bytearray(_RECEIVE_BYTES)
        self._chunk_view = memoryview(self._chunk)
        self._use(connection)

    @property
    def is_own_process(self) -> bool:
        """Whether this is the runner's process, and not one that user code has forked."""
        return self._is_own_process

    def _disown(self) -> None:
        self._is_own_process = False

    def _use(self, connection: int) -> None:
        self.socket = _socket.socket(fileno=connection)
        # A larger buffer lets a large result go out in fewer turns; the system gives what it allows.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 1024 * 1024)
        self._identity = _identity(connection)

    def send(self, kind: int, request: int, flags: int = 0, header: bytes = b"", body: Any = b"") -> None:
        """Send one frame. A process that user code forked must never speak for the runner: it ends here instead."""
        if not self._is_own_process:
            _exit(0)
        with self._lock:
            if _identity(self.socket.fileno()) != self._identity:
                # User code closed our descriptor, and may have reused its number: leave the number alone, connect anew.
                self.socket.detach()
                self._buffer.clear()
                self._use(connect(self._path, self._runner, "data", resumed=request))
            self._write(kind, flags, request, header, body)

    def _write(self, kind: int, flags: int, request: int, header: bytes, body: Any) -> None:
        head = _OUTGOING.pack(kind, flags, request, _len(header), _len(body)) + header
        if _len(body) < 65536:
            self.socket.sendall(head + body)
        else:
            self.socket.sendall(head)
            self.socket.sendall(body)

    def receive(self, spin_us: int = 0) -> Request:
        """Wait for the next frame; for ``spin_us`` microseconds without going to sleep.

        Waking a sleeping processor costs more than a small request does, most of all on virtual machines, so the supervisor
        has a runner spin for a moment after a request that was alone in the worker.
        """
        request = self._take()
        if request is None and spin_us > 0:
            self._spin(spin_us)
            request = self._take()
        while request is None:
            self._fill()
            request = self._take()
        return request

    def _spin(self, microseconds: int) -> None:
        end = time.monotonic_ns() + microseconds * 1000
        while time.monotonic_ns() < end:
            try:
                return self._fill(socket.MSG_DONTWAIT)
            except BlockingIOError:
                os.sched_yield()

    def receive_available(self) -> list[Request]:
        """Read what is there after the descriptor became readable; a frame under way is finished."""
        self._fill()
        return self.take_received()

    def take_received(self) -> list[Request]:
        """Frames that came together with an earlier one: the descriptor will not become readable for them."""
        requests = []
        while (request := self._take()) is not None:
            requests.append(request)
        return requests

    def _fill(self, flags: int = 0) -> None:
        count = self.socket.recv_into(self._chunk, 0, flags)
        if count == 0:
            raise Disconnected
        self._buffer += self._chunk_view[:count]

    def _take(self) -> Request | None:
        buffer = self._buffer
        if _len(buffer) < _INCOMING.size:
            return None
        header_length, body_length = _INCOMING.unpack_from(buffer)
        end = _INCOMING.size + header_length + body_length
        if _len(buffer) >= end:
            body_start = _INCOMING.size + header_length
            request = Request(decode(buffer[_INCOMING.size : body_start].decode()), buffer[body_start:end])
            del buffer[:end]
            return request
        if end > _RECEIVE_BYTES:
            return self._take_large(end, header_length)
        return None

    def _take_large(self, end: int, header_length: int) -> Request:
        """Receive a large frame straight into its final place instead of growing a buffer."""
        whole = bytearray(end)
        view = memoryview(whole)
        filled = len(self._buffer)
        view[:filled] = self._buffer
        self._buffer = bytearray()
        while filled < end:
            count = self.socket.recv_into(view[filled:], end - filled, socket.MSG_WAITALL)
            if count == 0:
                raise Disconnected
            filled += count
        body_start = _INCOMING.size + header_length
        return Request(decode(bytes(view[_INCOMING.size : body_start]).decode()), view[body_start:])


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        status = _fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino
