"""What a runner tells the supervisor about a request: its result, its output, its progress."""

from __future__ import annotations

import logging
import os
from typing import Any

from ..imports.recorder import ImportRecorder
from ..output.capture import Capture
from ..output.pipe import OutputPipe
from ..output.route import Route, current_route
from ..protocol import frames
from ..protocol.cancel import Cancellation
from ..protocol.frames import Channel
from ..protocol.header import encode
from ..state.process_state import Retirement
from ..user_code.outcome import Outcome
from .config import RunnerConfig


class Answers:
    """Sends frames. A cancel that comes meanwhile waits until the frame is whole."""

    def __init__(self, config: RunnerConfig, channel: Channel, cancellation: Cancellation) -> None:
        self._channel = channel
        self._cancellation = cancellation
        self.capture = Capture(OutputPipe(config.pipe(0), config.end_mark), self._output, _log_level())
        self.imports = ImportRecorder() if config.records_imports else None

    def result(self, route: Route, outcome: Outcome, has_instance: bool) -> None:
        """Send the outcome of a request; ``has_instance``: whether its instance lives now."""
        marked = self.capture.end(route)
        extra: dict[str, Any] = dict(outcome.extra or {})
        if outcome.error is not None:
            extra["error"] = outcome.error
            if route.instance is not None:
                extra["has_instance"] = has_instance
        imported = None if self.imports is None else self.imports.take()
        if imported:
            self._channel.send(frames.IMPORTS, route.request, body=encode(imported).encode())
        flags = outcome.flags | (frames.FLAG_END_MARK if marked else 0)
        header = encode(extra).encode() if extra else b""
        self._channel.send(frames.RESULT, route.request, flags, header, outcome.body)

    def done(self, request: int) -> None:
        """Tell the supervisor that its own request, such as to drop an instance, was carried out."""
        self._channel.send(frames.RESULT, request, frames.FLAG_SUCCESS)

    def stale(self, request: int) -> None:
        """Hand a request back: the supervisor has it run elsewhere, and nothing of it has run here."""
        self._channel.send(frames.STALE, request)

    def retire(self, retirement: Retirement) -> None:
        """Tell the supervisor that this process takes no more function requests, and why."""
        self._channel.send(frames.RETIRE, 0, body=encode(retirement._asdict()).encode())

    def progress(self, body: bytes) -> None:
        """Send the progress of the request that the running code belongs to."""
        route = current_route()
        if route is None or route.finished or not self._channel.is_own_process:
            return
        with self._cancellation.held():
            self._channel.send(frames.PROGRESS, route.request, body=body)

    def _output(self, request: int, text: bytes) -> None:
        with self._cancellation.held():
            self._channel.send(frames.OUTPUT, request, body=text)


def _log_level() -> int:
    name = os.environ.get("RUNPOD_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO"
    level = logging.getLevelName(name.upper())
    return level if isinstance(level, int) else logging.INFO
