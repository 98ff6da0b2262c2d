"""What a check is: it notices what a request has left behind that can't be undone in this process."""

from __future__ import annotations

from typing import Any, ClassVar


class Check:
    """Each module of :mod:`flash_runner.state.checks` defines one, as ``CHECK``: a class, made anew in each runner.

    Like the kinds, it runs after every request of a function.
    """

    name: ClassVar[str]
    """One word, for the metric ``flash_runner_retired_total``."""
    title: ClassVar[str]
    """What it notices, for the table in the docs (docs/guides/operate.md)."""

    needs_process: ClassVar[bool] = False
    """Whether an instance that leaves such a thing behind needs a process of its own, as what other requests leave could not
    be told from it."""

    of_computing: ClassVar[bool] = False
    """Whether also code that only computes can leave such a thing behind."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds

    def left_behind(self) -> str | None:
        """Why this process must not serve another request, in words; ``None`` when it may."""
        raise NotImplementedError

    def before_import(self) -> Any:
        """Called when the import of a library begins; the result goes to ``after_import``."""
        return None

    def after_import(self, before: Any) -> None:
        """Called when the import has ended: what it has left behind counts as the library's, and not as the request's."""


class Bounds:
    """What a request may leave behind."""

    __slots__ = ("descriptors", "memory_bytes")

    def __init__(self, memory_bytes: int, descriptors: int) -> None:
        self.memory_bytes = memory_bytes
        self.descriptors = descriptors
