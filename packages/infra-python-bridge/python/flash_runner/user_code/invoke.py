"""Turns one request into a callable with its arguments, and calls it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import sources
from .failures import RequestError
from .instances import Instance, Instances
from .modules import ModuleSet
from .serialization import PLAIN, Arguments

if TYPE_CHECKING:
    # For types only; event_loop.py says why asyncio is imported late.
    import asyncio

_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


# Loads the module of a request's code.
Load = Callable[[], ModuleType]


class Wanted(NamedTuple):
    """Which instance a request is for; ``create`` makes it anew, also when it lives."""

    name: str
    create: bool
    modules: ModuleSet | None


class Target(NamedTuple):
    """What to call, with what."""

    function: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]

    @property
    def is_async(self) -> bool:
        """Whether calling it gives something to await."""
        function = self.function
        code = getattr(function, "__code__", None)
        if code is not None:
            return bool(code.co_flags & _ASYNC)
        if not inspect.isroutine(function):
            function = getattr(function, "__call__", function)  # noqa: B004 - a callable object; its own method counts
        return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def find_function(request: dict[str, Any], arguments: Arguments, load: Load) -> Target:
    """Load the request's code and find its function."""
    name = request["function_name"]
    module = load()
    function = sources.find(module, name, "function")
    if not callable(function):
        raise RequestError(f"'{name}' in {sources.where(module)} is not a function but a {type(function).__name__}")
    args, kwargs = arguments.decode(request.get("args"), request.get("kwargs"))
    return Target(function, args, kwargs)


def find_method(request: dict[str, Any], arguments: Arguments, load: Load, instances: Instances, wanted: Wanted) -> Target:
    """Find the instance, or make and keep it, and its method."""
    instance = None if wanted.create else instances.get(wanted.name)
    if instance is None:
        instance = _construct(request, arguments, load, wanted.modules)
        instances.keep(wanted.name, instance)
    else:
        sources.activate(instance.module)
    method_name = request.get("method_name") or "__call__"
    method = getattr(instance.value, method_name, None)
    if method is None:
        raise RequestError(f"class '{request['class_name']}' has no method '{method_name}'")
    args, kwargs = arguments.decode(request.get("args"), request.get("kwargs"))
    return Target(method, args, kwargs)


def _construct(request: dict[str, Any], arguments: Arguments, load: Load, modules: ModuleSet | None) -> Instance:
    name = request["class_name"]
    module = load()
    cls = sources.find(module, name, "class")
    if not inspect.isclass(cls):
        raise RequestError(f"'{name}' in {sources.where(module)} is not a class but a {type(cls).__name__}")
    args, kwargs = arguments.decode(request.get("constructor_args"), request.get("constructor_kwargs"), "constructor_")
    return Instance(cls(*args, **kwargs), module, modules)


def call_sync(target: Target, loop: Callable[[], asyncio.AbstractEventLoop]) -> Any:
    """Call, and collect a generator into a list. A function that returns something to await after all is run on a loop."""
    value = target.function(*target.args, **target.kwargs)
    if type(value) in PLAIN:
        return value
    if inspect.isgenerator(value):
        return list(value)
    if inspect.isawaitable(value):
        return loop().run_until_complete(_await(value))
    if isinstance(value, AsyncIterator):
        return loop().run_until_complete(_collect(value))
    return value


async def call_async(target: Target) -> Any:
    """Call on a running loop, await what is returned, and collect an asynchronous generator into a list."""
    value = target.function(*target.args, **target.kwargs)
    if isinstance(value, AsyncIterator):
        return await _collect(value)
    return await value if inspect.isawaitable(value) else value


async def _await(value: Any) -> Any:
    return await value


async def _collect(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


def run_on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], started: Callable[[Any], None]) -> Any:
    """Run one coroutine to its end."""
    task = loop.create_task(work)
    started(task)
    return loop.run_until_complete(task)


def cancel_all(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Cancel what is left on a loop and let it finish, as ``asyncio.run`` would. Returns the names of what was cancelled."""
    import asyncio

    left = [task for task in asyncio.all_tasks(loop) if not task.done()]
    if not left:
        return []
    names = [getattr(task.get_coro(), "__qualname__", task.get_name()) for task in left]
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    return names
