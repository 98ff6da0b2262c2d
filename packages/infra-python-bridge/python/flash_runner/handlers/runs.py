"""Runs handlers of deployed apps, and sends what generators among them yield piece by piece."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ..output.route import Route
from ..protocol import frames
from ..protocol.cancel import Cancellation, interrupt_task
from ..protocol.frames import Channel, Request
from ..protocol.request_body import parse
from ..user_code import outcome
from ..user_code.failures import note_missing_module
from ..user_code.invoke import Target, cancel_all, run_on
from ..user_code.outcome import Outcome
from . import handlers
from .chunks import ChunkWindow
from .handlers import Handlers

if TYPE_CHECKING:
    # For types only; event_loop.py says why asyncio is imported late.
    import asyncio

Header = dict[str, Any]


class Loop(Protocol):
    """The event loop, made when it is first needed."""

    def get(self) -> asyncio.AbstractEventLoop: ...


class Overlap(Protocol):
    """Runs a coroutine, and others of its kind that arrive meanwhile, until none is left."""

    async def run(self, route: Route, frame: Request, work: Coroutine[Any, Any, Outcome]) -> None: ...


class HandlerRuns:
    """The handlers of one runner, and the streams that are under way."""

    def __init__(
        self, channel: Channel, cancellation: Cancellation, wait_and_hear: Callable[[], None], max_bytes: int
    ) -> None:
        """``wait_and_hear`` blocks until a frame of the supervisor has arrived, and takes it in."""
        self._channel = channel
        self._cancellation = cancellation
        self._wait_and_hear = wait_and_hear
        self._max_bytes = max_bytes
        self._handlers = Handlers()
        self._windows: dict[int, ChunkWindow] = {}

    def is_loaded(self, file: str) -> bool:
        """Whether the file's handler is loaded."""
        return self._handlers.is_loaded(file)

    def get(self, file: str) -> Callable[[Any], Any]:
        """The handler of ``file``, loaded when need be."""
        return self._handlers.get(file)

    def run(self, frame: Request, route: Route, loop: Loop, overlap: Overlap) -> Outcome | None:
        """Run one job with a handler. ``None`` when it was answered already, because others overlapped with it."""
        file = frame.header["handler"]
        if not self.is_loaded(file):
            self._load(file)
        job = parse(frame)[0]
        if not self.is_async(file):
            return self.call_sync(job, frame.header, loop.get)
        loop.get().run_until_complete(overlap.run(route, frame, self.call(job, frame.header)))
        return None

    async def joined(self, frame: Request) -> Outcome:
        """Run a job beside others of its handler."""
        return await self.call(parse(frame)[0], frame.header)

    def _load(self, file: str) -> None:
        try:
            self.get(file)
        except ModuleNotFoundError as error:
            # Only what is missing while the file is loaded is installed: a later failure is an error of the handler.
            note_missing_module(error)
            raise

    def is_async(self, file: str) -> bool:
        """Whether calls of the handler may overlap."""
        return Target(self.get(file), [], {}).is_async

    def hear_ack(self, header: Header) -> None:
        """Take in an acknowledgement: the supervisor has passed on chunks of a stream."""
        window = self._windows.get(header["id"])
        if window is not None:
            window.give(header["ack"])

    async def call(self, job: Any, header: Header) -> Outcome:
        """Run one job on a running loop that hears the supervisor."""
        return await self._finish(self.get(header["handler"])(job), header)

    def call_sync(self, job: Any, header: Header, loop: Callable[[], asyncio.AbstractEventLoop]) -> Outcome:
        """Run one job on the main thread. A handler that returns something to await after all is run on a loop."""
        value = self.get(header["handler"])(job)
        if inspect.isgenerator(value):
            return self._stream(value, header)
        if not inspect.isasyncgen(value) and not inspect.isawaitable(value):
            return self._outcome(value)
        running = loop()

        def started(task: asyncio.Task[Any]) -> None:
            self._cancellation.replace(header["id"], interrupt_task(running, task))

        try:
            result: Outcome = run_on(running, self._hearing(value, header), started)
        finally:
            cancel_all(running)
        return result

    async def _finish(self, value: Any, header: Header) -> Outcome:
        if inspect.isasyncgen(value):
            return await self._stream_async(value, header)
        return self._outcome(await value if inspect.isawaitable(value) else value)

    async def _hearing(self, value: Any, header: Header) -> Outcome:
        import asyncio

        loop = asyncio.get_running_loop()
        descriptor = self._channel.socket.fileno()
        loop.add_reader(descriptor, self._wait_and_hear)
        try:
            return await self._finish(value, header)
        finally:
            loop.remove_reader(descriptor)

    def _outcome(self, value: Any) -> Outcome:
        answer = handlers.read_answer(value)
        said = {"stream": False, "refresh": answer.refresh_worker, "error": answer.error, "empty": answer.is_empty}
        return outcome.success(answer.output, "json", self._max_bytes)._replace(extra={"handler": said})

    def _stream(self, values: Generator[Any, Any, Any], header: Header) -> Outcome:
        with self._window(header) as window, closing(values):
            for value in values:
                window.wait_with(self._wait_and_hear)
                end = self._pass_on(value, header["id"], window)
                if end is not None:
                    return end
            return _stream_end()

    async def _stream_async(self, values: AsyncGenerator[Any, Any], header: Header) -> Outcome:
        with self._window(header) as window:
            async with aclosing(values):
                async for value in values:
                    await window.wait()
                    end = self._pass_on(value, header["id"], window)
                    if end is not None:
                        return end
                return _stream_end()

    @contextmanager
    def _window(self, header: Header) -> Iterator[ChunkWindow]:
        """Lets acknowledgements of a request's chunks reach its stream while it lasts."""
        window = self._windows[header["id"]] = ChunkWindow(header["window"])
        try:
            yield window
        finally:
            self._windows.pop(header["id"], None)

    def _pass_on(self, value: Any, request: int, window: ChunkWindow) -> Outcome | None:
        """Send a chunk. One with an error ends the stream: then this is its end."""
        self._send(value, request, window)
        error = handlers.chunk_error(value)
        return None if error is None else _stream_end(error)

    def _send(self, value: Any, request: int, window: ChunkWindow) -> None:
        body = outcome.success(value, "json", self._max_bytes).body
        window.take()
        with self._cancellation.held():
            self._channel.send(frames.CHUNK, request, body=body)


def _stream_end(error: str | None = None) -> Outcome:
    said = {"stream": True, "refresh": False, "error": error, "empty": True}
    return Outcome(frames.FLAG_SUCCESS | frames.FLAG_JSON, b"[]", extra={"handler": said})
