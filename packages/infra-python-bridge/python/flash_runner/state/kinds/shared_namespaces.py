"""Names that are visible everywhere: those of ``builtins``, and of ``__main__``."""

from __future__ import annotations

import builtins
import sys
from typing import Any

from ..kind import Kind

_of_builtins = vars(builtins)


class SharedNamespaces(Kind):
    """What came to ``builtins`` goes. That something in it was replaced is noticed by ``checks/patches.py``."""

    title = "names added to `builtins`; all of `__main__`"

    def __init__(self) -> None:
        self._of_main: dict[str, Any] = vars(sys.modules["__main__"])

    def read(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return _of_builtins.copy(), self._of_main.copy()

    def same(self, one: Any, other: Any) -> bool:
        return one[0].keys() == other[0].keys() and _identical(one[1], other[1])

    def restore(self, value: tuple[dict[str, Any], dict[str, Any]]) -> None:
        if len(_of_builtins) != len(value[0]) or not _identical(self._of_main, value[1]):
            self.write(value)

    def write(self, value: tuple[dict[str, Any], dict[str, Any]]) -> None:
        for name in [name for name in _of_builtins if name not in value[0]]:
            del _of_builtins[name]
        for name in [name for name in value[0] if name not in _of_builtins]:
            _of_builtins[name] = value[0][name]
        self._of_main.clear()
        self._of_main.update(value[1])

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        return tuple(
            {**old, **{name: value for name, value in now.items() if name not in was}}
            for old, was, now in zip(kept, before, after, strict=True)
        )


def _identical(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return len(one) == len(other) and all([one.get(name) is value for name, value in other.items()])


KIND = SharedNamespaces()
