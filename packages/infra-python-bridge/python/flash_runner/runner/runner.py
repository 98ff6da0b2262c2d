"""A runner: one process that serves requests of the supervisor, one at a time.

Asynchronous methods of one instance may overlap: while one of them runs, others join it on the same event loop.
"""

from __future__ import annotations

import contextvars
import gc
import os
from typing import Any, NoReturn

from .. import progress
from ..handlers import runpod_progress
from ..handlers.runs import HandlerRuns
from ..imports.after_import import AfterImport
from ..imports.library_imports import LibraryImports
from ..imports.package_epoch import PackageEpoch
from ..imports.wait_for_test_files import wait_for_test_files
from ..output.route import Route, enter_route, follow_executors, follow_threads
from ..protocol.cancel import Cancellation, RequestCancelled, raise_cancelled
from ..protocol.frames import Channel, Disconnected, Request
from ..state.check import Bounds
from ..state.process_state import ProcessState, Retirement
from ..user_code.instances import Instances
from ..user_code.outcome import Outcome, failure
from .answers import Answers
from .calls import Calls
from .config import RunnerConfig
from .event_loop import EventLoop
from .inbox import Inbox
from .leave import leave
from .overlap import Overlap

_exit, _collect = os._exit, gc.collect
# A request that the supervisor has kept for a runner comes right after the runner has reported.
_BEFORE_REHEARSAL_MS = 2
_REHEARSAL = Request(
    {"id": 0},
    bytearray(b'{"function_name": "f", "function_code": "def f(a): return a", "args": ["gAVLAi4="], "kwargs": {}}'),
)


class Runner:
    """Takes requests, has them run, answers, and restores the process for the next one."""

    def __init__(self, config: RunnerConfig, data: int, control: int) -> None:
        self._config = config
        self._channel = Channel(config.socket, config.runner, data)
        self._cancellation = Cancellation(control)
        self._cancellation.listen()
        self._answers = Answers(config, self._channel, self._cancellation)
        self._capture = self._answers.capture
        self._instances = Instances()
        self._contexts: dict[str, contextvars.Context] = {}
        self._inbox = Inbox(self._channel, self._cancellation)
        self._handlers = HandlerRuns(self._channel, self._cancellation, self._inbox.wait_and_hear, config.max_response_bytes)
        self._inbox.hear_acks_with(self._handlers.hear_ack)
        self._overlap = Overlap(self._channel, self._cancellation, self._capture, self._inbox, self)
        # Tasks that instances leave on their loop go on; those of functions are cancelled.
        self._function_loop, self._instance_loop = EventLoop(), EventLoop()
        self._epoch = PackageEpoch()
        self._spin_us = 0
        self._retirement: Retirement | None = None
        # Whether nothing has run in this process since it was restored.
        self._is_as_new = False
        recorder = self._answers.imports
        library_imports = LibraryImports(None if recorder is None else recorder.note)
        library_imports.install()
        self._change_modules_of_others()
        # A process that serves one function request need not be restored after it.
        self._state = ProcessState(Bounds(config.max_bytes_left, config.max_descriptors_left)) if config.reuses else None
        self._calls = Calls(config, self._cancellation, self._capture, self._instances, self._state)
        if self._state is not None:
            library_imports.tell(self._state)

    def _change_modules_of_others(self) -> None:
        progress.connect(self._answers.progress)
        follow_threads()
        after_import = AfterImport()
        after_import.change(runpod_progress.MODULE, runpod_progress.replace)
        after_import.change("concurrent.futures.thread", follow_executors)
        after_import.install()
        if self._config.completion_file is not None:
            wait_for_test_files(self._config.completion_file)

    def rehearse(self) -> None:
        """Run a request of the runner's own, unless one has come.

        With its first request a forked process gets its own copy of most of the memory that it uses. That takes several
        times as long as a small request, which would wait for it.
        """
        if self._inbox.has_something_within(_BEFORE_REHEARSAL_MS):
            return
        route = Route(_REHEARSAL.header["id"], None, False, _REHEARSAL.header)
        self._capture.begin(route)
        self._context_of(route).run(self._run, _REHEARSAL, route)
        self._calls.end()
        _collect(1)
        self._capture.end(route)

    def serve(self) -> NoReturn:
        """Serve until the supervisor goes away."""
        while True:
            try:
                self._handle(self._inbox.take() or self._next())
            except Disconnected:
                _exit(0)
            except RequestCancelled:
                continue  # the cancel came just after its request had ended

    def _next(self) -> Request:
        self._instance_loop.run_until_readable(self._channel.socket.fileno())
        spin_us, self._spin_us = self._spin_us, 0
        return self._channel.receive(spin_us)

    def _handle(self, frame: Request) -> None:
        header = frame.header
        if "drop" in header:
            self._drop(header["drop"])
            return self._answers.done(header["id"])
        if "exit" in header:
            leave()
        if self._inbox.hear_ack(frame):
            return None
        if self._epoch.advance(header) or not self._may_serve(header):
            return self._answers.stale(header["id"])
        self._spin_us = header.get("spin", 0)
        route = Route(header["id"], header.get("instance"), False, header)
        self._capture.begin(route, self._is_as_new)
        self._is_as_new = False
        outcome = self._context_of(route).run(self._run, frame, route)
        only_computed = self._calls.end()
        if _owner(header) is None:
            # The request's module and what refers to it: what its finalizers print and change is the request's own.
            _collect(1)
        if outcome is not None:
            self.answer(route, outcome)
        if not self._config.reuses and route.instance is None and self._instances.is_empty:
            leave()
        if _owner(header) is None:
            self._clean_up(only_computed)
        return None

    def _run(self, frame: Request, route: Route) -> Outcome | None:
        """Run one request, which a cancel may interrupt at any point. ``None`` when it was answered already."""
        # An instance's context is older than this request.
        enter_route(route)
        try:
            try:
                self._cancellation.begin(route.request, raise_cancelled)
                outcome = self._call(frame, route)
                self._capture.flush_replaced()
                if not self._channel.is_own_process:
                    _exit(0)  # user code has forked, and this is the child
            except BaseException as error:
                outcome = failure(error, frame.header)
            finally:
                self._cancellation.end(route.request)
        except RequestCancelled as error:  # came while the outcome was being made
            self._cancellation.end(route.request)
            outcome = failure(error, frame.header)
        return outcome

    def _call(self, frame: Request, route: Route) -> Outcome | None:
        if "handler" in frame.header:
            return self._handlers.run(frame, route, self._instance_loop, self._overlap)
        if route.instance is not None:
            return self._calls.method(frame, route, self._instance_loop, self._overlap)
        return self._calls.function(frame, route, self._function_loop)

    def _context_of(self, route: Route) -> contextvars.Context:
        """The context variables of a request: new ones for a function, kept ones for an instance."""
        if route.instance is None:
            return contextvars.copy_context()
        context = self._contexts.get(route.instance)
        if context is None:
            context = self._contexts[route.instance] = contextvars.copy_context()
        return context

    def answer(self, route: Route, outcome: Outcome) -> None:
        """Send the outcome of a request, and let go of an instance that could not be made."""
        instance = route.instance
        lives = instance is not None and (self._instances.get(instance) is not None or self._handlers.is_loaded(instance))
        if instance is not None and not lives:
            self._drop(instance)
        self._answers.result(route, outcome, lives)

    def _drop(self, instance: str) -> None:
        self._instances.drop(instance)
        self._contexts.pop(instance, None)
        if self._state is not None:
            self._state.forget(instance)

    # --- one request and the next -----------------------------------------------------------------------------------------

    def _may_serve(self, header: dict[str, Any]) -> bool:
        """Whether this process may run the request: it has not retired, and has the state that the request is to find."""
        owner = _owner(header)
        if self._retirement is not None:
            return owner is not None and (self._instances.get(owner) is not None or self._handlers.is_loaded(owner))
        return self._state is None or self._retire(self._state.enter(owner))

    def _clean_up(self, only_computed: bool) -> None:
        """Restore the process for the next function request, while the supervisor passes the answer on."""
        if self._state is None or self._retirement is not None:
            return
        try:
            if not only_computed:
                self._function_loop.renew()
                self._capture.pipe.ensure_attached()
            retirement = self._state.leave(only_computed)
        except BaseException as error:  # an object of user code that is asked for something here may raise anything
            retirement = Retirement("state", f"it could not be cleaned up: {type(error).__name__}")
        self._is_as_new = self._retire(retirement) and not self._state.has_owners

    def _retire(self, retirement: Retirement | None) -> bool:
        """Take no more function requests if ``retirement`` says so. Return whether the process goes on serving them."""
        if retirement is None:
            return True
        self._retirement = retirement
        self._answers.retire(retirement)
        return False

    # --- requests that join others of their instance ----------------------------------------------------------------------

    def may_join(self, frame: Request, instance: str) -> bool:
        """Whether a request may run while others of the instance do."""
        header = frame.header
        if header.get("instance") != instance or header.get("create") or not self._epoch.is_current(header):
            return False
        if "handler" in header:
            return self._handlers.is_loaded(header["handler"])
        return self._calls.may_join(frame, instance)

    async def joined(self, frame: Request, instance: str) -> Outcome:
        """Run a request beside others of its instance."""
        if "handler" in frame.header:
            return await self._handlers.joined(frame)
        return await self._calls.joined(frame, instance)


def _owner(header: dict[str, Any]) -> str | None:
    """Which state of the process a request works with: its instance's, its app's, or a new process's (``None``)."""
    if "deployed" in header and "instance" not in header:
        directory: str = header["deployed"]["directory"]
        return directory
    instance: str | None = header.get("instance")
    return instance
