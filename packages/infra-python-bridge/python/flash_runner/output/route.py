"""Which request the running code belongs to: whose output it is."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any


class Route:
    """One request, as its code, its threads and its output see it."""

    __slots__ = ("finished", "instance", "pending", "request", "shared", "traceparent", "tracestate", "unrecorded")

    def __init__(self, request: int, instance: str | None, shared: bool, header: dict[str, Any]) -> None:
        self.request = request
        self.traceparent: str | None = header.get("traceparent")
        self.tracestate: str | None = header.get("tracestate")
        # Whether the trace begins with this request and is not recorded; its ids are made when user code asks for them.
        self.unrecorded: bool = header.get("unrecorded", False)
        self.instance = instance
        # Whether other requests of the instance run beside it.
        self.shared = shared
        self.finished = False
        # The beginning of an incomplete line: ``print`` writes each of its arguments by itself.
        self.pending = ""


_route: contextvars.ContextVar[Route | None] = contextvars.ContextVar("flash_output_route", default=None)
_current_thread = threading.current_thread


def current_route() -> Route | None:
    """The request that the running code belongs to; in a thread, the request that it works for."""
    return _route.get() or getattr(_current_thread(), "_flash_route", None)


def enter_route(route: Route | None) -> None:
    """Have code of the running context belong to a request from here on."""
    _route.set(route)


def follow_threads() -> None:
    """Have a thread print for the request that started it, also after that request has ended."""
    if getattr(threading.Thread.start, "_flash", False):
        return
    start = threading.Thread.start

    def start_with_route(self: threading.Thread) -> None:
        self._flash_route = current_route()  # type: ignore[attr-defined]
        start(self)

    start_with_route._flash = True  # type: ignore[attr-defined]
    start_with_route.__doc__ = start.__doc__
    threading.Thread.start = start_with_route  # type: ignore[method-assign]


def follow_executors(module: ModuleType) -> None:
    """Have a pool's thread print for the request that gave it its work; ``module``: ``concurrent.futures.thread``."""
    submit = module.ThreadPoolExecutor.submit
    if getattr(submit, "_flash", False):
        return

    def submit_with_route(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        route = current_route()
        return submit(self, fn, *args, **kwargs) if route is None else submit(self, _work_for, route, fn, args, kwargs)

    submit_with_route._flash = True  # type: ignore[attr-defined]
    submit_with_route.__doc__ = submit.__doc__
    module.ThreadPoolExecutor.submit = submit_with_route


def _work_for(route: Route, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    thread: Any = _current_thread()
    before = getattr(thread, "_flash_route", None)
    thread._flash_route = route
    try:
        return function(*args, **kwargs)
    finally:
        thread._flash_route = before
