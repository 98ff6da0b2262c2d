"""Imported modules: those of the user's own are imported anew by each request, libraries stay."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from ...imports.library import is_library
from ..kind import Kind

_modules = sys.modules


class Modules(Kind):
    title = "modules that are no library's (`sys.modules`)"

    def __init__(self) -> None:
        self._size = -1

    def read(self) -> dict[str, ModuleType]:
        return _modules.copy()

    def same(self, one: Any, other: Any) -> bool:
        return one is other

    def restore(self, value: dict[str, ModuleType]) -> None:
        # checks/patches.py notices a module that was replaced under its name.
        if len(_modules) != self._size or len(value) != self._size:
            self.write(value)

    def write(self, value: dict[str, ModuleType]) -> None:
        for name in [name for name in _modules if name not in value]:
            spec = getattr(_modules[name], "__spec__", None)
            if spec is not None and is_library(spec) and spec.name == name:
                value[name] = _modules[name]
            else:
                del _modules[name]
        for name in [name for name in value if name not in _modules]:
            _modules[name] = value[name]
        self._size = len(_modules)

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        for name, module in after.items():
            if name not in before:
                kept[name] = module
        return kept


KIND = Modules()
