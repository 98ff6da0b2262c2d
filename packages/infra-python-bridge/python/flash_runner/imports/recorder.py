"""Which modules user code imports, and how long each takes: what a next worker may import ahead of its first request."""

from __future__ import annotations

from .preload import NEEDED, RARELY_NEEDED

# A module that takes less time is not recorded.
_LEAST_SECONDS = 0.01
_MOST_MODULES = 200
# Not recorded, as every zygote imports these: only a runner that was forked before that imports them itself.
_THERE_ANYWAY = frozenset(NEEDED + RARELY_NEEDED)


class ImportRecorder:
    """Keeps the times of the imports that user code itself begins; what those import in their turn is part of their time."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def note(self, name: str, seconds: float) -> None:
        """Note that a module was imported."""
        if seconds >= _LEAST_SECONDS and name not in _THERE_ANYWAY and len(self._seconds) < _MOST_MODULES:
            self._seconds[name] = seconds

    def take(self) -> dict[str, float]:
        """Milliseconds of each module that was imported since the last call, in the order of their imports."""
        if not self._seconds:
            return {}
        taken, self._seconds = self._seconds, {}
        return {name: round(seconds * 1000, 1) for name, seconds in taken.items()}
