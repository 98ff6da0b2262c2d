"""Changes to modules of others, made as soon as each is imported, or at once when it is already."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

Change = Callable[[ModuleType], None]


class AfterImport:
    """Finds the modules that are to be changed, and nothing else."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}

    def install(self) -> None:
        """Begin to listen to imports; called once in a process."""
        sys.meta_path.insert(0, self)

    def change(self, module: str, change: Change) -> None:
        """Have ``change`` called with a module when it has been loaded."""
        loaded = sys.modules.get(module)
        if loaded is not None:
            change(loaded)
        self._changes[module] = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        change = self._changes.get(fullname)
        if change is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, change)  # type: ignore[assignment]
        return spec


class _Loader:
    def __init__(self, real: Any, change: Change) -> None:
        self._real = real
        self._change = change

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._real.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._real
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        self._real.exec_module(module)
        self._change(module)
