"""What a kind of process state is: something a request may change, and the next request must not find changed."""

from __future__ import annotations

import sys
from operator import is_
from typing import Any, ClassVar


class Irreversible(Exception):
    """A change can't be undone in this process; its text says what was changed."""


class Kind:
    """One kind of process state. Each module of :mod:`flash_runner.state.kinds` defines one, as ``KIND``.

    ``restore`` runs after every function request: it is fast, and depends on little that user code may replace.
    """

    title: ClassVar[str]
    """What the state is, for the table in the docs (docs/guides/operate.md)."""

    def read(self) -> Any:
        """The state as it is now, as a value that later changes of the state leave alone."""
        raise NotImplementedError

    def write(self, value: Any) -> None:
        """Make the state what an earlier ``read`` returned.

        Raises:
            Irreversible: that can't be done.
        """
        raise NotImplementedError

    def same(self, one: Any, other: Any) -> bool:
        """Whether two values of ``read`` are the same state."""
        return bool(one == other)

    def restore(self, value: Any) -> None:
        """Make the state what it was, when it is anything else."""
        if not self.same(self.read(), value):
            self.write(value)

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        """The state to go back to when the import of a library has changed ``before`` to ``after``.

        A library is imported once, and its requests rely on what it has done then.
        """
        return after if self.same(kept, before) else kept


def loaded(name: str) -> Any:
    """A module that was imported to its end; ``None`` when it was not."""
    module = sys.modules.get(name)
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module


def identical(one: Any, other: Any) -> bool:
    """Whether two sequences hold the same objects; never asks the objects themselves."""
    return len(one) == len(other) and all(map(is_, one, other))


def merged(kept: tuple[Any, ...], before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[Any, ...]:
    """``kept`` with what came to a sequence of objects between ``before`` and ``after``, and without what went."""
    was, now, has = set(map(id, before)), set(map(id, after)), set(map(id, kept))
    left = [item for item in kept if id(item) in now or id(item) not in was]
    came = [(place, item) for place, item in enumerate(after) if id(item) not in was and id(item) not in has]
    for place, item in came:
        left.insert(place, item)
    return tuple(left)
