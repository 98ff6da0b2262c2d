"""Calls of functions and of methods of instances."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from ..output.capture import Capture
from ..output.route import Route
from ..protocol.cancel import Cancellation, interrupt_task
from ..protocol.frames import Request
from ..protocol.request_body import parse
from ..state.process_state import ProcessState
from ..user_code import deployed, invoke, sources
from ..user_code.instances import Instances
from ..user_code.invoke import Target, Wanted
from ..user_code.modules import ModuleSet, ModuleSets
from ..user_code.outcome import Outcome, success
from ..user_code.serialization import Arguments
from ..user_code.sources import Sources
from .config import RunnerConfig
from .event_loop import EventLoop
from .overlap import Overlap


class _Call(NamedTuple):
    request: dict[str, Any]
    arguments: Arguments
    modules: ModuleSet | None


class Calls:
    """Finds what a request is for, calls it, and makes an outcome of what it returns."""

    def __init__(
        self,
        config: RunnerConfig,
        cancellation: Cancellation,
        capture: Capture,
        instances: Instances,
        state: ProcessState | None,
    ) -> None:
        self._max_response_bytes = config.max_response_bytes
        self._cancellation = cancellation
        self._capture = capture
        self._instances = instances
        self._state = state
        self._sources = Sources(config.live_directory)
        self._module_sets = ModuleSets(config.directory)
        self._active_modules: ModuleSet | None = None
        self._only_computed = False

    def function(self, frame: Request, route: Route, loop: EventLoop) -> Outcome:
        """Call a function."""
        call = self._begin(frame, None)
        target = invoke.find_function(call.request, call.arguments, self._loader(frame.header, call, "function"))
        self._only_computed = call.arguments.are_plain and not call.request["function_name"].startswith("_")
        try:
            if target.is_async:
                value = self._run_on(loop, invoke.call_async(target), route)
            else:
                value = invoke.call_sync(target, loop.get)
        finally:
            self._say_cancelled(loop.finish(), call.request["function_name"])
        return self._success(value, call)

    def method(self, frame: Request, route: Route, loop: EventLoop, overlap: Overlap) -> Outcome | None:
        """Call a method of an instance. ``None`` when it was answered already, because others overlapped with it."""
        assert route.instance is not None
        call = self._begin(frame, route.instance)
        wanted = Wanted(route.instance, bool(frame.header.get("create")), call.modules)
        load = self._loader(frame.header, call, "class")
        target = invoke.find_method(call.request, call.arguments, load, self._instances, wanted)
        if not target.is_async:
            return self._success(invoke.call_sync(target, loop.get), call)
        loop.get().run_until_complete(overlap.run(route, frame, self._await(target, call)))
        return None

    def end(self) -> bool:
        """Remove the modules that were importable for one request. Returns whether it can't have changed the process."""
        if self._active_modules is not None:
            self._active_modules.deactivate()
            self._active_modules = None
        sources.deactivate()
        only_computed, self._only_computed = self._only_computed, False
        return only_computed

    def may_join(self, frame: Request, instance: str) -> bool:
        """Whether a request of an instance may run while others of it do."""
        live = self._instances.get(instance)
        method = getattr(live.value, parse(frame)[0].get("method_name") or "__call__", None) if live else None
        return method is not None and Target(method, [], {}).is_async

    async def joined(self, frame: Request, instance: str) -> Outcome:
        """Run a request beside others of its instance."""
        request, blobs = parse(frame)
        call = _Call(request, Arguments(request.get("serialization_format") or "cloudpickle", blobs), None)
        load = self._loader(frame.header, call, "class")
        target = invoke.find_method(request, call.arguments, load, self._instances, Wanted(instance, False, None))
        return await self._await(target, call)

    def _begin(self, frame: Request, instance: str | None) -> _Call:
        request, blobs = parse(frame)
        modules = self._modules(request, instance)
        if modules is not None:
            self._active_modules = modules
            modules.activate()
        return _Call(request, Arguments(request.get("serialization_format") or "cloudpickle", blobs), modules)

    def _modules(self, request: dict[str, Any], instance: str | None) -> ModuleSet | None:
        live = self._instances.get(instance) if instance is not None else None
        if live is not None and live.modules is not None:
            return live.modules
        return self._module_sets.get(request["modules"]) if request.get("modules") else None

    def _loader(self, header: dict[str, Any], call: _Call, kind: str) -> Callable[[], ModuleType]:
        """What loads the request's code: from the request's source, or from the deployed app."""
        place = header.get("deployed")
        if place is not None:
            return lambda: deployed.import_from(place["directory"], place["module"])

        def load() -> ModuleType:
            source = self._sources.get(call.request[f"{kind}_code"])
            call.arguments.are_plain = source.only_computes and call.modules is None
            if self._state is not None and not source.only_computes:
                self._state.expect(source.stores)
            return self._sources.run(source)

        return load

    def _run_on(self, loop: EventLoop, work: Any, route: Route) -> Any:
        running = loop.get()
        return invoke.run_on(
            running, work, lambda task: self._cancellation.replace(route.request, interrupt_task(running, task))
        )

    async def _await(self, target: Target, call: _Call) -> Outcome:
        return self._success(await invoke.call_async(target), call)

    def _success(self, value: Any, call: _Call) -> Outcome:
        return success(value, call.arguments.serialization, self._max_response_bytes)

    def _say_cancelled(self, names: list[str], function: str) -> None:
        if not names or sys.exc_info()[0] is not None:
            return
        which = ", ".join(dict.fromkeys(names[:5]))
        tasks = "1 task was" if len(names) == 1 else f"{len(names)} tasks were"
        self._capture.say(
            f"{tasks} cancelled because {function} returned before the end of what it had started ({which}): await it, "
            "or call a method of a class, whose tasks go on"
        )
