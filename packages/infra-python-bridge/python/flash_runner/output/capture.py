"""Output of user code: descriptors 1 and 2 are a pipe of the supervisor, Python's own streams know whose output they carry.

While one request has the runner to itself everything goes through the pipe, so that prints, C code and child processes keep
their order. Requests that share the runner's event loop are told apart by a ContextVar and send their text as frames.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable

from .pipe import OutputPipe
from .route import Route, enter_route
from .streams import RoutedStream

_LONGEST_LINE = 8192


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
        self._stdout = RoutedStream(1, "<stdout>", self)
        self._stderr = RoutedStream(2, "<stderr>", self)
        # The state of ``logging`` that every function request begins with; an instance keeps what its constructor set up.
        logging.root.handlers[:] = [_LogHandler()]
        logging.root.setLevel(log_level)

    def begin(self, route: Route, is_attached: bool = False) -> None:
        """Start capturing for one request. Streams are put back in case user code replaced them.

        Args:
            is_attached: the pipe is on the standard descriptors, and nothing has run since that was seen to.
        """
        if not route.shared:
            if not is_attached:
                self.pipe.ensure_attached()
            self.exclusive = route
        # A stream that user code put in their place may close the buffer beneath when it is freed: both are renewed then.
        sys.stdout = sys.__stdout__ = self._stdout  # type: ignore[assignment,misc]
        sys.stderr = sys.__stderr__ = self._stderr  # type: ignore[assignment,misc]
        RoutedStream.renew(self._stdout)
        RoutedStream.renew(self._stderr)
        enter_route(route)

    def say(self, text: str) -> None:
        """Write a line of the worker's into the output of the running request, for its author."""
        RoutedStream.write(self._stderr, f"WARNING:flash:{text}\n")

    def flush_replaced(self) -> None:
        """Have streams that user code has put in the place of the worker's write what they hold. May run user code."""
        for stream, own in ((sys.stdout, self._stdout), (sys.stderr, self._stderr)):
            if stream is not own and stream is not None:
                with contextlib.suppress(Exception):
                    stream.flush()

    def end(self, route: Route) -> bool:
        """Stop capturing. True when an end mark was put into the pipe."""
        enter_route(None)
        route.finished = True
        for stream in (self._stdout, self._stderr):
            try:
                # Not by way of the object: user code may have given it methods of its own.
                RoutedStream.flush(stream)
            except (OSError, ValueError):
                # Closed by user code, or its descriptor was: the next request must not print what could not be written.
                RoutedStream.discard(stream)
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
