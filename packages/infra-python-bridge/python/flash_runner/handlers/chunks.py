"""Bounds the chunks of a stream that are under way: the generator waits until the supervisor has passed some on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For types only; event_loop.py says why asyncio is imported late.
    import asyncio


class ChunkWindow:
    """How many more chunks of one request may be sent before the supervisor has passed on earlier ones."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._has_room: asyncio.Event | None = None

    @property
    def is_full(self) -> bool:
        """Whether the next chunk has to wait."""
        return self._free <= 0

    def take(self) -> None:
        """Count a chunk that is sent."""
        self._free -= 1

    def give(self, count: int) -> None:
        """Make room for ``count`` chunks that the supervisor has passed on."""
        self._free += count
        if self._has_room is not None:
            self._has_room.set()

    async def wait(self) -> None:
        """Wait for room while a loop runs that hears the supervisor."""
        import asyncio

        while self.is_full:
            self._has_room = asyncio.Event()
            await self._has_room.wait()

    def wait_with(self, pump: Callable[[], None]) -> None:
        """Wait for room; ``pump`` blocks until the supervisor was heard."""
        while self.is_full:
            pump()
