"""Which modules user code imports, and how long each takes: what a next worker may import ahead of its first request."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

from .preload import NEEDED, RARELY_NEEDED

if TYPE_CHECKING:
    # Not at run time: they bring much along, and a zygote's start is on the way of a first request.
    from importlib.abc import Loader, MetaPathFinder
else:
    Loader = MetaPathFinder = object

# Cheaper ones are not worth being imported ahead.
_LEAST_SECONDS = 0.01
_MOST_MODULES = 200
# Zygotes import them in any case: only a first runner, forked before that, waits for them.
_THERE_ANYWAY = frozenset(NEEDED + RARELY_NEEDED)


class ImportRecorder(MetaPathFinder):
    """Times the imports that user code itself begins; what those import in their turn is part of their time.

    It stands before the other finders and finds nothing by itself. An import of a module that is there already never
    comes here.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._depth = 0
        self._thread = threading.get_ident()
        self._standard_library = os.path.dirname(os.__file__) + os.sep

    def install(self) -> None:
        """Begin to record."""
        sys.meta_path.insert(0, self)

    def take(self) -> dict[str, float]:
        """Milliseconds of each module that was imported since the last call, in the order of their imports."""
        if not self._seconds:
            return {}
        taken, self._seconds = self._seconds, {}
        return {name: round(seconds * 1000, 1) for name, seconds in taken.items()}

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Have the other finders find it, and time what their loader does."""
        if self._depth or threading.get_ident() != self._thread or len(self._seconds) >= _MOST_MODULES:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module") and self._is_of_library(spec):
                    assert spec.loader is not None
                    spec.loader = _TimedLoader(spec.loader, self)
                return spec
        return None

    def _is_of_library(self, spec: ModuleSpec) -> bool:
        """Whether it was installed: a module of the user's own changes, and is not there before its request."""
        origin = spec.origin or ""
        return "site-packages" in origin or "dist-packages" in origin or origin.startswith(self._standard_library)

    def time(self, module: ModuleType, loader: Loader) -> None:
        """Load a module and note what it took."""
        self._depth += 1
        started = time.perf_counter()
        try:
            loader.exec_module(module)
        finally:
            self._depth -= 1
        seconds = time.perf_counter() - started
        if seconds >= _LEAST_SECONDS and module.__name__ not in _THERE_ANYWAY:
            self._seconds[module.__name__] = seconds


class _TimedLoader(Loader):
    def __init__(self, loader: Loader, recorder: ImportRecorder) -> None:
        self._loader = loader
        self._recorder = recorder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # From here on nobody sees that there was anything between.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._recorder.time(module, self._loader)
