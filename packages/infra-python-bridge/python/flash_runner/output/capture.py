"""Output of user code: descriptors 1 and 2 are a pipe of the supervisor, Python's own streams know whose output they carry.

While one request has the runner to itself everything goes through the pipe, so that prints, C code and child processes keep
their order. Requests that share the runner's event loop are told apart by a ContextVar and send their text as frames.
"""

from __future__ import annotations

import contextvars
import io
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

from .pipe import OutputPipe

_LONGEST_LINE = 8192


class Route:
    """Whose output it is."""

    __slots__ = ("finished", "instance", "pending", "request", "shared", "traceparent", "tracestate", "unrecorded")

    def __init__(self, request: int, instance: str | None, shared: bool, header: dict[str, Any]) -> None:
        self.request = request
        self.traceparent: str | None = header.get("traceparent")
        self.tracestate: str | None = header.get("tracestate")
        # The trace begins with this request and nobody records it: its ids are made when somebody asks.
        self.unrecorded: bool = header.get("unrecorded", False)
        self.instance = instance
        self.shared = shared
        self.finished = False
        # The beginning of a line that is not complete yet: a print writes its parts one by one.
        self.pending = ""


_route: contextvars.ContextVar[Route | None] = contextvars.ContextVar("flash_output_route", default=None)


def current_route() -> Route | None:
    """The request that the running code belongs to; in a thread, the request that started it."""
    return _route.get() or getattr(threading.current_thread(), "_flash_route", None)


class RoutedStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of user code."""

    def __init__(self, fd: int, name: str, capture: Capture) -> None:
        self._fd = fd
        self._name = name
        self._capture = capture
        self._text = self._open()

    def _open(self) -> io.TextIOWrapper:
        raw = io.FileIO(self._fd, "w", closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def write(self, text: str) -> int:
        route = current_route()
        if route is None or route is self._capture.exclusive:
            return self._text.write(text)
        current = self._capture.exclusive
        if route.finished and current is not None and route.instance is not None and route.instance == current.instance:
            # A worker thread that an instance keeps from call to call prints for the call that is at work.
            return self._text.write(text)
        self._capture.send_lines(route, text)
        return len(text)

    def flush(self) -> None:
        self._text.flush()

    def reopen_if_closed(self) -> None:
        """User code may have closed the stream; the next request gets a new one."""
        if self._text.closed:
            self._text = self._open()

    def close(self) -> None:
        self._text.close()

    @property
    def closed(self) -> bool:
        return self._text.closed

    @property
    def buffer(self) -> Any:
        return self._text.buffer

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
        self._text.reconfigure(**options)

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class _LogHandler(logging.Handler):
    """Shows ``logging`` records among the prints, wherever ``sys.stderr`` points."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


class Capture:
    """Everything a runner does about output."""

    def __init__(self, pipe: OutputPipe, send: Callable[[int, bytes], None], log_level: int) -> None:
        self.pipe = pipe
        self.send = send
        self.exclusive: Route | None = None
        self._log_level = log_level
        self._stdout = RoutedStream(1, "<stdout>", self)
        self._stderr = RoutedStream(2, "<stderr>", self)
        self._log_handler = _LogHandler()
        self._last_instance: str | None = None
        _let_threads_inherit_the_route()

    def begin(self, route: Route) -> None:
        """Start capturing for one request. Streams and log handler are put back in case user code replaced them."""
        if not route.shared:
            self.pipe.ensure_attached()
            self.exclusive = route
        self._stdout.reopen_if_closed()
        self._stderr.reopen_if_closed()
        sys.stdout = sys.__stdout__ = self._stdout  # type: ignore[assignment,misc]
        sys.stderr = sys.__stderr__ = self._stderr  # type: ignore[assignment,misc]
        if route.instance is None or route.instance != self._last_instance:
            # What one request did to the root logger is not for the next; an instance keeps what its constructor set up.
            logging.root.handlers[:] = [self._log_handler]
            logging.root.setLevel(self._log_level)
        self._last_instance = route.instance
        _route.set(route)

    def end(self, route: Route) -> bool:
        """Stop capturing. True when an end mark was put into the pipe."""
        _route.set(None)
        route.finished = True
        try:
            self._stdout.flush()
            self._stderr.flush()
        except (OSError, ValueError):
            pass  # closed by user code; the next request gets new streams
        if route.pending:
            self.send_lines(route, "", everything=True)
        if route.shared:
            return False
        self.exclusive = None
        return self.pipe.mark_end()

    def send_lines(self, route: Route, text: str, everything: bool = False) -> None:
        """Send complete lines of a request as a frame; what is left of the last one waits for its end."""
        lines = route.pending + text
        end = len(lines) if everything or route.finished or len(lines) > _LONGEST_LINE else lines.rfind("\n") + 1
        route.pending = lines[end:]
        if end > 0:
            self.send(route.request, lines[:end].encode("utf-8", "backslashreplace"))


def _let_threads_inherit_the_route() -> None:
    """A thread prints for the request that started it, also after that request has ended."""
    if getattr(threading.Thread.start, "_flash", False):
        return
    start = threading.Thread.start

    def start_with_route(self: threading.Thread) -> None:
        self._flash_route = current_route()  # type: ignore[attr-defined]
        start(self)

    start_with_route._flash = True  # type: ignore[attr-defined]
    start_with_route.__doc__ = start.__doc__
    threading.Thread.start = start_with_route  # type: ignore[method-assign]
