"""Which event loop the main thread has, by which policy."""

from __future__ import annotations

from typing import Any

from ..kind import Kind, loaded


class EventLoopPolicy(Kind):
    """A new process has no policy until it needs one; the default one then knows of no loop."""

    title = "event loop policy, the main thread's loop"

    def read(self) -> Any:
        events = loaded("asyncio.events")
        return None if events is None else events._event_loop_policy

    def same(self, one: Any, other: Any) -> bool:
        return one is other

    def write(self, value: Any) -> None:
        events: Any = loaded("asyncio.events")
        if events is None:
            return
        left = getattr(getattr(events._event_loop_policy, "_local", None), "_loop", None)
        events._event_loop_policy = value
        if left is not None and not left.is_running() and not left.is_closed():
            left.close()

    def restore(self, value: Any) -> None:
        events = loaded("asyncio.events")
        if events is not None:
            events._set_running_loop(None)
            super().restore(value)

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        # A policy of the library's own stays; the default one, which asyncio makes when it is asked for a loop, does not.
        if after is before or type(after).__module__.startswith("asyncio."):
            return kept
        return after


KIND = EventLoopPolicy()
