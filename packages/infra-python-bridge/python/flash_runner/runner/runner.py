"""A runner: one process that serves requests of the supervisor, one at a time.

Asynchronous methods of one instance may overlap: while one of them runs, others join it on the same event loop.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from .. import progress
from ..handlers import runpod_progress
from ..handlers.runs import HandlerRuns
from ..imports.package_epoch import PackageEpoch
from ..imports.recorder import ImportRecorder
from ..imports.wait_for_test_files import wait_for_test_files
from ..output.capture import Capture, Route, current_route
from ..output.pipe import OutputPipe
from ..protocol import frames
from ..protocol.cancel import Cancellation, RequestCancelled, interrupt_task, raise_cancelled
from ..protocol.frames import Channel, Disconnected, Request
from ..protocol.request_body import parse
from ..system import process_control
from ..user_code import deployed, invoke, sources
from ..user_code.failures import note_missing_module
from ..user_code.instances import Instances
from ..user_code.invoke import Target, Wanted
from ..user_code.modules import ModuleSet, ModuleSets
from ..user_code.outcome import Outcome, failure, success
from ..user_code.serialization import Arguments
from ..user_code.sources import Sources
from .config import RunnerConfig
from .inbox import Inbox
from .overlap import Overlap
from .process_state import ProcessState

if TYPE_CHECKING:
    # Imported by whoever has a loop: it takes a third of Python's start, and most requests have no use for it.
    import asyncio

# Enough for the copies that a 10 MiB argument goes through: text, decoded, unpickled, and the result the same way back.
_KEPT_BYTES = 128 * 1024 * 1024


class Runner:
    """State of one runner process."""

    def __init__(self, config: RunnerConfig, data: int, control: int) -> None:
        self._config = config
        self._pipe_number = 0
        self._channel = Channel(config.socket, config.runner, data)
        self._cancellation = Cancellation(control)
        self._cancellation.listen()
        pipe = OutputPipe(config.pipe(0), config.end_mark)
        self._capture = Capture(pipe, self._send_output, _log_level())
        self._sources = Sources()
        self._instances = Instances()
        self._module_sets = ModuleSets(config.directory)
        self._inbox = Inbox(self._channel, self._cancellation)
        self._handlers = HandlerRuns(self._channel, self._cancellation, self._inbox.wait_and_hear, config.max_response_bytes)
        self._inbox.hear_acks_with(self._handlers.hear_ack)
        self._overlap = Overlap(self._channel, self._cancellation, self._capture, self._inbox, self)
        self._loop_or_none: asyncio.AbstractEventLoop | None = None
        self._epoch = PackageEpoch()
        self._spin_us = 0
        self._process_state = ProcessState()
        progress.connect(self._send_progress)
        runpod_progress.install()
        if config.completion_file is not None:
            wait_for_test_files(config.completion_file)
        self._imports = ImportRecorder() if config.records_imports else None
        if self._imports is not None:
            self._imports.install()

    def serve(self) -> NoReturn:
        """Serve until the supervisor goes away."""
        while True:
            try:
                self._handle(self._inbox.take() or self._next())
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
        if self._inbox.hear_ack(frame):
            return
        if self._epoch.advance(header):
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
            self.answer(route, outcome)
        for active in modules:
            active.deactivate()
        self._process_state.restore()

    def _run(self, frame: Request, route: Route, active: list[ModuleSet]) -> Outcome | None:
        """Run one request. ``None`` when it was answered already, because others of its instance overlapped with it."""
        if "handler" in frame.header:
            return self._run_handler(frame, route)
        request, blobs = parse(frame)
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
        self._loop.run_until_complete(self._overlap.run(route, frame, self._call(target, serialization)))
        return None

    def _loader(self, header: dict[str, Any], request: dict[str, Any]) -> Callable[[], ModuleType]:
        """Where the request's code comes from: with it, or from the deployed app."""
        place = header.get("deployed")
        if place is None:
            kind = "function" if header.get("instance") is None else "class"
            return lambda: self._sources.run(request[f"{kind}_code"], request[f"{kind}_name"])
        self._process_state.import_from(place["directory"])
        return lambda: deployed.import_from(place["directory"], place["module"])

    async def _call(self, target: Target, serialization: str) -> Outcome:
        return self._success(await invoke.call_async(target), serialization)

    def _success(self, value: Any, serialization: str) -> Outcome:
        return success(value, serialization, self._config.max_response_bytes)

    def _modules(self, request: dict[str, Any], route: Route) -> ModuleSet | None:
        if request.get("modules"):
            return self._module_sets.get(request["modules"])
        live = self._instances.get(route.instance) if route.instance is not None else None
        return live.modules if live is not None else None

    def answer(self, route: Route, outcome: Outcome) -> None:
        """Tell the supervisor what has become of a request."""
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
        path = self._config.pipe(self._pipe_number)
        os.mkfifo(path, 0o600)
        self._capture.pipe.switch(path)
        return path

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
        job = parse(frame)[0]
        if not self._handlers.is_async(file):
            return self._handlers.call_sync(job, frame.header, lambda: self._loop)
        self._loop.run_until_complete(self._overlap.run(route, frame, self._handlers.call(job, frame.header)))
        return None

    def _load_handler(self, file: str) -> None:
        try:
            self._handlers.get(file)
        except ModuleNotFoundError as error:
            # Only here: what the handler itself fails to import later is its own affair.
            note_missing_module(error)
            raise
        self._process_state.keep_path()

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        if self._loop_or_none is None or self._loop_or_none.is_closed():
            import asyncio

            self._loop_or_none = asyncio.new_event_loop()
        return self._loop_or_none

    # --- requests that join others of their instance --------------------------------------------------------------------

    def may_join(self, frame: Request, instance: str) -> bool:
        """Whether a request may run while others of the instance do."""
        header = frame.header
        if header.get("instance") != instance or header.get("create") or not self._epoch.is_current(header):
            return False
        if "handler" in header:
            return self._handlers.is_loaded(header["handler"])
        live = self._instances.get(instance)
        method = getattr(live.value, parse(frame)[0].get("method_name") or "__call__", None) if live else None
        return method is not None and Target(method, [], {}).is_async

    async def joined(self, frame: Request, instance: str) -> Outcome:
        """Run such a request."""
        body, blobs = parse(frame)
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


def _log_level() -> int:
    name = os.environ.get("RUNPOD_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO"
    level = logging.getLevelName(name.upper())
    return level if isinstance(level, int) else logging.INFO


def main(config: RunnerConfig, data: int, control: int, zygote: int) -> NoReturn:
    """Serve until the supervisor goes away. Never returns.

    ``data`` and ``control`` are descriptors of the two connections to it.
    """
    process_control.die_with_parent(zygote)
    process_control.adopt_orphans()
    process_control.keep_freed_memory(_KEPT_BYTES)
    sources.prepare()
    Runner(config, data, control).serve()
