"""``runpod.serverless.progress_update`` of the platform's SDK, where it is installed, reports through the worker.

The SDK's own would post by itself, with the worker's key, which user code does not have.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from .. import progress

_MODULE = "runpod.serverless.modules.rp_progress"


def install() -> None:
    """Replace the SDK's function as soon as its module is imported, or now when it was."""
    loaded = sys.modules.get(_MODULE)
    if loaded is not None:
        _replace(loaded)
    sys.meta_path.insert(0, _Finder())


def progress_update(job: Any, progress_value: Any = None, **named: Any) -> None:
    """Report how far the running job is; ``job`` is the one the handler was given."""
    progress.update(named.get("progress", progress_value))


def _replace(module: ModuleType) -> None:
    vars(module)["progress_update"] = progress_update
    package = sys.modules.get("runpod.serverless")
    if package is not None and hasattr(package, "progress_update"):
        vars(package)["progress_update"] = progress_update


class _Finder:
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    def __init__(self, real: Any) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._real.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        _replace(module)
