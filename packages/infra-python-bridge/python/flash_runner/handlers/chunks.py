"""Chunks on their way out: so many may be under way at once; then the generator waits until some have arrived."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Imported where a loop is made: it takes a third of Python's start, and most requests have no use for it.
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
        """A chunk is sent."""
        self._free -= 1

    def give(self, count: int) -> None:
        """The supervisor has passed ``count`` chunks on."""
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
