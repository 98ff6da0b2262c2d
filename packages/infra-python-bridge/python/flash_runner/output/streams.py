"""``sys.stdout`` and ``sys.stderr`` of user code, which know whose output they carry."""

from __future__ import annotations

import contextlib
import io
from typing import Any, Protocol

from .route import Route, current_route


class Carrier(Protocol):
    """Where output goes."""

    @property
    def exclusive(self) -> Route | None:
        """The request that has the pipe to itself."""

    def send_lines(self, route: Route, text: str) -> None:
        """Send the output of a request that shares the runner with others."""


_ATTRIBUTES = frozenset({"_fd", "_name", "_carrier", "_text", "_reconfigured"})


class RoutedStream(io.TextIOBase):
    """Writes to the pipe for the request that has it to itself, and sends what other requests print."""

    def __init__(self, fd: int, name: str, carrier: Carrier) -> None:
        self._fd = fd
        self._name = name
        self._carrier = carrier
        self._text = self._open()
        self._reconfigured = False

    def _open(self) -> io.TextIOWrapper:
        raw = io.FileIO(self._fd, "w", closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def route(self) -> Route | None:
        """The request whose output is sent as frames; ``None``: the output goes into the pipe."""
        route = current_route()
        exclusive = self._carrier.exclusive
        if route is None or route is exclusive:
            return None
        # A thread that an instance keeps from call to call prints for the call that is at work.
        is_of_exclusive = exclusive is not None and route.instance is not None and route.instance == exclusive.instance
        return None if route.finished and is_of_exclusive else route

    def write(self, text: str) -> int:
        route = self.route()
        if route is None:
            return self._text.write(text)
        self._carrier.send_lines(route, text)
        return len(text)

    def write_bytes(self, data: Any) -> int:
        """Write bytes, which user code has encoded itself."""
        route = self.route()
        view = memoryview(data).cast("B")
        if route is None:
            data = bytes(view)
            self._text.flush()
            self._text.buffer.write(data)
            if b"\n" in data:
                self._text.buffer.flush()
        else:
            self._carrier.send_lines(route, bytes(view).decode("utf-8", "backslashreplace"))
        return len(view)

    def flush(self) -> None:
        self._text.flush()

    def discard(self) -> None:
        """Let go of what could not be written; the stream is closed until it is renewed."""
        with contextlib.suppress(OSError, ValueError):
            # The stream beneath writes what it holds when it is freed, unless the file is closed; the descriptor stays open.
            self._text.buffer.raw.close()  # type: ignore[attr-defined]

    def renew(self) -> None:
        """Undo what user code did to the stream: closed it, detached it, changed its encoding, gave it methods."""
        if type(self) is not RoutedStream:
            self.__class__ = RoutedStream
        if len(vars(self)) != len(_ATTRIBUTES):
            for name in vars(self).keys() - _ATTRIBUTES:
                del vars(self)[name]
        text = self._text
        if (
            self._reconfigured
            or text.closed
            or (text.encoding, text.errors, text.line_buffering) != ("utf-8", "backslashreplace", True)
        ):
            self._text = self._open()
            self._reconfigured = False

    def close(self) -> None:
        self._text.close()

    def detach(self) -> Any:
        """Return the binary stream beneath and close this one, as every text stream does."""
        self._text.flush()
        self._text.close()
        # What was detached goes on working when the stream itself is closed.
        return RoutedBuffer(RoutedStream(self._fd, self._name, self._carrier))

    @property
    def closed(self) -> bool:
        return self._text.closed

    @property
    def buffer(self) -> Any:
        """A binary stream that user code may wrap. Python closes it with its wrapper, which leaves this stream open."""
        return RoutedBuffer(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._text.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._text.errors

    @property
    def line_buffering(self) -> bool:
        return self._text.line_buffering

    @property
    def name(self) -> str:
        return self._name

    @property
    def mode(self) -> str:
        return "w"

    def reconfigure(self, **options: Any) -> None:
        self._reconfigured = True
        self._text.reconfigure(**options)

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class RoutedBuffer(io.BufferedIOBase):
    """``sys.stdout.buffer``: bytes on their way to a :class:`RoutedStream`."""

    def __init__(self, stream: RoutedStream) -> None:
        self._stream = stream
        self.raw = self

    def write(self, data: Any) -> int:
        return self._stream.write_bytes(data)

    def flush(self) -> None:
        if not self._stream.closed:
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return self._stream.name

    @property
    def mode(self) -> str:
        return "wb"
