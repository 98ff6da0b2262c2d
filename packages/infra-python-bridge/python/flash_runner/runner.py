"""A runner: one process that serves requests of the supervisor, one at a time.

Asynchronous methods of one instance may overlap: while one of them runs, others join it on the same event loop.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import select
import signal
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from . import arrival, deployed, frames, invoke, process_control, progress, runpod_progress, sources
from .birth import Place
from .cancel import Cancellation, RequestCancelled, interrupt_task, raise_cancelled
from .capture import Capture, Route, current_route
from .failures import note_missing_module
from .frames import Channel, Disconnected, Request
from .handler_runs import HandlerRuns
from .imports import ImportRecorder
from .instances import Instances
from .invoke import Target, Wanted
from .modules import ModuleSet, ModuleSets
from .outcome import Outcome, failure, success
from .output_pipe import OutputPipe
from .serialization import Arguments
from .sources import Sources

if TYPE_CHECKING:
    # Imported by whoever has a loop: it takes a third of Python's start, and most requests have no use for it.
    import asyncio

# Enough for the copies that a 10 MiB argument goes through: text, decoded, unpickled, and the result the same way back.
_KEPT_BYTES = 128 * 1024 * 1024


class Runner:
    """State of one runner process."""

    def __init__(self, place: Place, data: int, control: int) -> None:
        self._place = place
        self._pipe_number = 0
        self._channel = Channel(place.socket, place.runner, data)
        self._cancellation = Cancellation(control)
        self._cancellation.listen()
        pipe = OutputPipe(place.pipe(0), place.marker)
        self._capture = Capture(pipe, self._send_output, _log_level())
        self._sources = Sources()
        self._instances = Instances()
        self._module_sets = ModuleSets(place.directory)
        self._handlers = HandlerRuns(self._channel, self._cancellation, self._wait_and_hear, place.max_response_bytes)
        self._loop_or_none: asyncio.AbstractEventLoop | None = None
        self._backlog: deque[Request] = deque()
        self._epoch = 0
        self._spin_us = 0
        self._directory = os.getcwd()
        self._path = list(sys.path)
        self._overlapping: dict[int, asyncio.Task[None]] = {}
        progress.connect(self._send_progress)
        runpod_progress.install()
        if place.whole_mark is not None:
            arrival.wait_for_tests(place.whole_mark)
        self._imports = ImportRecorder() if place.records_imports else None
        if self._imports is not None:
            self._imports.install()

    def serve(self) -> NoReturn:
        """Serve until the supervisor goes away."""
        while True:
            try:
                self._handle(self._backlog.popleft() if self._backlog else self._next())
            except Disconnected:
                os._exit(0)
            except RequestCancelled:
                continue  # came just after its request had ended

    # --- requests -------------------------------------------------------------------------------------------------

    def _next(self) -> Request:
        loop = self._loop_or_none
        if loop is not None and _has_tasks(loop):
            # An instance left tasks on the loop: they go on while the runner waits.
            readable = loop.create_future()
            descriptor = self._channel.socket.fileno()
            loop.add_reader(descriptor, _settle, readable)
            loop.run_until_complete(readable)
            loop.remove_reader(descriptor)
        spin_us, self._spin_us = self._spin_us, 0
        return self._channel.receive(spin_us)

    def _handle(self, frame: Request) -> None:
        header = frame.header
        if "drop" in header:
            self._instances.drop(header["drop"])
            self._channel.send(frames.RESULT, header["id"], frames.FLAG_SUCCESS)
            return
        if "ack" in header:
            self._handlers.hear_ack(header)
            return
        if self._is_stale(header):
            self._channel.send(frames.STALE, header["id"])
            return
        self._spin_us = header.get("spin", 0)
        route = Route(header["id"], header.get("instance"), False, header)
        self._capture.begin(route)
        modules: list[ModuleSet] = []
        try:
            try:
                self._cancellation.begin(route.request, raise_cancelled)
                outcome = self._run(frame, route, modules)
            except BaseException as error:
                outcome = failure(error, header)
            finally:
                self._cancellation.end(route.request)
        except RequestCancelled as error:  # came while the outcome was being made
            self._cancellation.end(route.request)
            outcome = failure(error, header)
        if outcome is not None:
            self._answer(route, outcome)
        self._clean_up(modules)

    def _run(self, frame: Request, route: Route, active: list[ModuleSet]) -> Outcome | None:
        """Run one request. ``None`` when it was answered already, because others of its instance overlapped with it."""
        if "handler" in frame.header:
            return self._run_handler(frame, route)
        request, blobs = _parse(frame)
        modules = self._modules(request, route)
        if modules is not None:
            active.append(modules)
            modules.activate()
        arguments = Arguments(request.get("serialization_format") or "cloudpickle", blobs)
        serialization = arguments.serialization
        if route.instance is None:
            target = invoke.find_function(request, arguments, self._loader(frame.header, request))
        else:
            target = invoke.find_method(
                request,
                arguments,
                self._loader(frame.header, request),
                self._instances,
                Wanted(route.instance, bool(frame.header.get("create")), modules),
            )
        if not target.is_async:
            return self._success(invoke.call_sync(target, lambda: self._loop), serialization)
        if route.instance is None:
            value = invoke.run_on(
                self._loop,
                invoke.call_async(target),
                lambda task: self._cancellation.replace(route.request, interrupt_task(self._loop, task)),
            )
            return self._success(value, serialization)
        self._loop.run_until_complete(self._overlap(route, frame, self._call(target, serialization)))
        return None

    def _loader(self, header: dict[str, Any], request: dict[str, Any]) -> Callable[[], ModuleType]:
        """Where the request's code comes from: with it, or from the deployed app."""
        place = header.get("deployed")
        if place is None:
            kind = "function" if header.get("instance") is None else "class"
            return lambda: self._sources.run(request[f"{kind}_code"], request[f"{kind}_name"])
        if place["directory"] not in self._path:
            self._path.insert(0, place["directory"])
        return lambda: deployed.import_from(place["directory"], place["module"])

    async def _call(self, target: Target, serialization: str) -> Outcome:
        return self._success(await invoke.call_async(target), serialization)

    def _success(self, value: Any, serialization: str) -> Outcome:
        return success(value, serialization, self._place.max_response_bytes)

    def _modules(self, request: dict[str, Any], route: Route) -> ModuleSet | None:
        if request.get("modules"):
            return self._module_sets.get(request["modules"])
        live = self._instances.get(route.instance) if route.instance is not None else None
        return live.modules if live is not None else None

    def _answer(self, route: Route, outcome: Outcome) -> None:
        marked = self._capture.end(route)
        extra = dict(outcome.extra or {})
        if outcome.error is not None:
            extra["error"] = outcome.error
            if route.instance is not None:
                lives = self._instances.get(route.instance) is not None or self._handlers.is_loaded(route.instance)
                extra["has_instance"] = lives
        if not route.shared and process_control.live_children():
            # A child was left running and holds the pipe: what it prints from now on is nobody's output.
            extra["pipe"] = self._replace_pipe()
        if self._imports is not None and (imported := self._imports.take()):
            self._channel.send(frames.IMPORTS, route.request, body=json.dumps(imported).encode())
        flags = outcome.flags | (frames.FLAG_MARKER if marked else 0)
        header = json.dumps(extra).encode() if extra else b""
        self._channel.send(frames.RESULT, route.request, flags, header, outcome.body)

    def _replace_pipe(self) -> str:
        self._pipe_number += 1
        path = self._place.pipe(self._pipe_number)
        os.mkfifo(path, 0o600)
        self._capture.pipe.switch(path)
        return path

    def _clean_up(self, modules: list[ModuleSet]) -> None:
        """Undo what one request must not leave to the next: modules, search path, timers, working directory."""
        for active in modules:
            active.deactivate()
        signal.alarm(0)
        if sys.path != self._path:
            sys.path[:] = self._path
        try:
            if os.getcwd() == self._directory:
                return
        except OSError:
            pass
        try:
            os.chdir(self._directory)
        except OSError:
            os.chdir("/")

    def _is_stale(self, header: dict[str, Any]) -> bool:
        """Whether a package was replaced that this process has imported already."""
        if header["epoch"] == self._epoch:
            return False
        self._epoch = header["epoch"]
        importlib.invalidate_caches()
        if header.get("pinned"):
            return False
        return any(name in sys.modules for name in header["replaced"])

    def _send_output(self, request: int, text: bytes) -> None:
        with self._cancellation.held():
            self._channel.send(frames.OUTPUT, request, body=text)

    def _send_progress(self, body: bytes) -> None:
        route = current_route()
        if route is None or route.finished or not self._channel.is_own_process:
            return
        with self._cancellation.held():
            self._channel.send(frames.PROGRESS, route.request, body=body)

    # --- handlers -------------------------------------------------------------------------------------------------------

    def _run_handler(self, frame: Request, route: Route) -> Outcome | None:
        """Run one job with a handler. ``None`` when it was answered already, because others overlapped with it."""
        file = frame.header["handler"]
        if not self._handlers.is_loaded(file):
            self._load_handler(file)
        job = _parse(frame)[0]
        if not self._handlers.is_async(file):
            return self._handlers.call_sync(job, frame.header, lambda: self._loop)
        self._loop.run_until_complete(self._overlap(route, frame, self._handlers.call(job, frame.header)))
        return None

    def _load_handler(self, file: str) -> None:
        try:
            self._handlers.get(file)
        except ModuleNotFoundError as error:
            # Only here: what the handler itself fails to import later is its own affair.
            note_missing_module(error)
            raise
        self._path = list(sys.path)

    def _wait_and_hear(self) -> None:
        waiting = select.poll()
        waiting.register(self._channel.socket.fileno(), select.POLLIN)
        waiting.poll()  # a cancel interrupts this, and nothing that is half read
        self._hear()

    def _hear(self) -> None:
        """Take what the supervisor has sent: acknowledgements at once, anything else in its turn."""
        with self._cancellation.held():
            for frame in self._channel.receive_available():
                if "ack" in frame.header:
                    self._handlers.hear_ack(frame.header)
                else:
                    self._backlog.append(frame)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        if self._loop_or_none is None or self._loop_or_none.is_closed():
            import asyncio

            self._loop_or_none = asyncio.new_event_loop()
        return self._loop_or_none

    # --- overlapping requests of one instance ------------------------------------------------------------------------

    async def _overlap(self, route: Route, frame: Request, work: Coroutine[Any, Any, Outcome]) -> None:
        """Run one asynchronous method or handler, and what of its kind arrives meanwhile, until none is left."""
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
        self._answer(route, outcome)
        while self._overlapping:
            await asyncio.wait(list(self._overlapping.values()))
        loop.remove_reader(descriptor)

    def _hear_arrivals(self, instance: str) -> None:
        try:
            self._join(self._channel.receive_available(), instance)
        except Disconnected:
            os._exit(0)

    def _join(self, arrived: list[Request], instance: str) -> None:
        for frame in arrived:
            if "ack" in frame.header:
                self._handlers.hear_ack(frame.header)
                continue
            if self._backlog or not self._may_join(frame, instance):
                self._backlog.append(frame)
                continue
            import asyncio

            loop = asyncio.get_running_loop()
            request = frame.header["id"]
            task = loop.create_task(self._run_joined(frame, instance))
            self._overlapping[request] = task
            self._cancellation.begin(request, interrupt_task(loop, task))

    def _may_join(self, frame: Request, instance: str) -> bool:
        header = frame.header
        if header.get("instance") != instance or header.get("create") or header["epoch"] != self._epoch:
            return False
        if "handler" in header:
            return self._handlers.is_loaded(header["handler"])
        live = self._instances.get(instance)
        method = getattr(live.value, _parse(frame)[0].get("method_name") or "__call__", None) if live else None
        return method is not None and Target(method, [], {}).is_async

    async def _run_joined(self, frame: Request, instance: str) -> None:
        request = frame.header["id"]
        route = Route(request, instance, True, frame.header)
        self._capture.begin(route)
        try:
            outcome = await self._joined(frame, instance)
        except BaseException as error:
            outcome = failure(error, frame.header)
        finally:
            self._cancellation.end(request)
            self._overlapping.pop(request, None)
        self._answer(route, outcome)

    async def _joined(self, frame: Request, instance: str) -> Outcome:
        body, blobs = _parse(frame)
        if "handler" in frame.header:
            return await self._handlers.call(body, frame.header)
        arguments = Arguments(body.get("serialization_format") or "cloudpickle", blobs)
        load = self._loader(frame.header, body)
        target = invoke.find_method(body, arguments, load, self._instances, Wanted(instance, False, None))
        return await self._call(target, arguments.serialization)


def _has_tasks(loop: asyncio.AbstractEventLoop) -> bool:
    import asyncio

    return bool(asyncio.all_tasks(loop))


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _parse(frame: Request) -> tuple[dict[str, Any], list[memoryview]]:
    """The request, and the long arguments that follow it."""
    lengths = frame.header.get("blobs")
    if lengths is None:
        body = json.loads(str(frame.body, "utf-8"))
        return (body["input"] if frame.header.get("wrapped") else body), []
    view = memoryview(frame.body)
    start = len(view) - sum(lengths)
    request = json.loads(str(view[:start], "utf-8"))
    blobs = []
    for length in lengths:
        blobs.append(view[start : start + length])
        start += length
    return request, blobs


def _log_level() -> int:
    name = os.environ.get("RUNPOD_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO"
    level = logging.getLevelName(name.upper())
    return level if isinstance(level, int) else logging.INFO


def main(place: Place, data: int, control: int, zygote: int) -> NoReturn:
    """Serve until the supervisor goes away. Never returns.

    ``data`` and ``control`` are descriptors of the two connections to it.
    """
    process_control.die_with_parent(zygote)
    process_control.adopt_orphans()
    process_control.keep_freed_memory(_KEPT_BYTES)
    sources.prepare()
    Runner(place, data, control).serve()
