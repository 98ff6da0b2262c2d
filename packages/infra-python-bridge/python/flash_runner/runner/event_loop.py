"""The event loop that asynchronous user code runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..user_code.invoke import cancel_all

if TYPE_CHECKING:
    # asyncio is imported when a loop is made: that takes a third of Python's start, and most requests need no loop.
    import asyncio


class EventLoop:
    """A loop that is made when it is first needed, and made anew when user code has closed it or left something on it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            import asyncio

            self._loop = asyncio.new_event_loop()
        return self._loop

    def run_until_readable(self, descriptor: int) -> None:
        """Let tasks that were left on the loop go on until there is something to read; does nothing when there are none."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        import asyncio

        if not asyncio.all_tasks(loop):
            return
        readable = loop.create_future()
        loop.add_reader(descriptor, _resolve, readable)
        loop.run_until_complete(readable)
        loop.remove_reader(descriptor)

    def finish(self) -> list[str]:
        """End what user code has left on the loop, as ``asyncio.run`` would. Returns which coroutines were cancelled."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return []
        cancelled = cancel_all(loop)
        if getattr(loop, "_asyncgens", None):
            loop.run_until_complete(loop.shutdown_asyncgens())
        return cancelled

    def renew(self) -> None:
        """Have the next request find a loop that is as new."""
        loop = self._loop
        if loop is None or loop.is_closed() or _is_as_new(loop):
            return
        executor = getattr(loop, "_default_executor", None)
        if executor is not None:
            executor.shutdown(wait=False)
        loop.close()
        self._loop = None


def _is_as_new(loop: Any) -> bool:
    try:
        return (
            loop._default_executor is None
            and not (loop._scheduled or loop._ready or loop._signal_handlers or loop._debug)
            and loop._exception_handler is None
            and loop._task_factory is None
            and loop.slow_callback_duration == 0.1
            and len(loop._selector.get_map()) <= 1
        )
    except (AttributeError, TypeError, RuntimeError):
        # A loop of another implementation does not tell what was changed.
        return False


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
