"""Asynchronous requests of one instance, or of one handler, side by side on one event loop."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from ..output.capture import Capture
from ..output.route import Route
from ..protocol import frames
from ..protocol.cancel import Cancellation, interrupt_task
from ..protocol.frames import Channel, Disconnected, Request
from ..user_code.outcome import Outcome, failure
from .inbox import Inbox

if TYPE_CHECKING:
    # For types only; event_loop.py says why asyncio is imported late.
    import asyncio


class Host(Protocol):
    """Knows which requests may join others, and how one is run and answered."""

    def may_join(self, frame: Request, instance: str) -> bool: ...

    async def joined(self, frame: Request, instance: str) -> Outcome: ...

    def answer(self, route: Route, outcome: Outcome) -> None: ...


class Overlap:
    """While one request runs, others of its instance that arrive join it."""

    def __init__(self, channel: Channel, cancellation: Cancellation, capture: Capture, inbox: Inbox, host: Host) -> None:
        self._channel = channel
        self._cancellation = cancellation
        self._capture = capture
        self._inbox = inbox
        self._host = host
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self, route: Route, frame: Request, work: Coroutine[Any, Any, Outcome]) -> None:
        """Run one asynchronous method or handler, and those of its instance that arrive meanwhile, until none is left."""
        import asyncio

        assert route.instance is not None
        loop = asyncio.get_running_loop()
        descriptor = self._channel.socket.fileno()
        first = loop.create_task(work)
        self._cancellation.replace(route.request, interrupt_task(loop, first))
        loop.add_reader(descriptor, self._hear_arrivals, route.instance)
        self._channel.send(frames.CONCURRENT, route.request)
        self._join(self._channel.take_received(), route.instance)
        try:
            outcome = await first
        except BaseException as error:
            outcome = failure(error, frame.header)
        self._cancellation.end(route.request)
        self._host.answer(route, outcome)
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
        loop.remove_reader(descriptor)

    def _hear_arrivals(self, instance: str) -> None:
        try:
            self._join(self._channel.receive_available(), instance)
        except Disconnected:
            os._exit(0)

    def _join(self, arrived: list[Request], instance: str) -> None:
        for frame in self._inbox.requests(arrived):
            if not self._inbox.is_empty or not self._host.may_join(frame, instance):
                self._inbox.put(frame)
                continue
            import asyncio

            loop = asyncio.get_running_loop()
            request = frame.header["id"]
            task = loop.create_task(self._run_joined(frame, instance))
            self._tasks[request] = task
            self._cancellation.begin(request, interrupt_task(loop, task))

    async def _run_joined(self, frame: Request, instance: str) -> None:
        request = frame.header["id"]
        route = Route(request, instance, True, frame.header)
        self._capture.begin(route)
        try:
            outcome = await self._host.joined(frame, instance)
        except BaseException as error:
            outcome = failure(error, frame.header)
        finally:
            self._cancellation.end(request)
            self._tasks.pop(request, None)
        self._host.answer(route, outcome)
