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
    """Whether an instance that has such a thing needs a process of its own: no other request could be told from it."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds

    def left_behind(self) -> str | None:
        """Why this process must not serve another request, in words; ``None`` when it may."""
        raise NotImplementedError

    def before_import(self) -> Any:
        """Something to tell what a library's import does, which is not the request's doing."""
        return None

    def after_import(self, before: Any) -> None:
        """Take what came since ``before`` for the library's."""


class Bounds:
    """What a request may leave behind."""

    __slots__ = ("descriptors", "memory_bytes")

    def __init__(self, memory_bytes: int, descriptors: int) -> None:
        self.memory_bytes = memory_bytes
        self.descriptors = descriptors
