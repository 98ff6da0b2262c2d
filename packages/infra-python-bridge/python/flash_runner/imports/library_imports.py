"""Tells when user code imports a library, so that its time and what it does to the process count as the library's."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from .library import is_library

if TYPE_CHECKING:
    # Not imported at run time: importlib.abc brings much along, and a first request waits for the zygote's start.
    from importlib.abc import Loader, MetaPathFinder
else:
    Loader = MetaPathFinder = object


class ImportListener(Protocol):
    """Hears of each import that user code itself begins; what those import in their turn is a part of them."""

    def before_import(self) -> Any: ...

    def after_import(self, before: Any) -> None: ...


class LibraryImports(MetaPathFinder):
    """Stands before the other finders and finds nothing itself. Imports of loaded modules never come here."""

    def __init__(self, on_imported: Callable[[str, float], None] | None) -> None:
        """``on_imported`` is told the name of each module and the seconds its import took, without those of the listener."""
        self._listener: ImportListener | None = None
        self._on_imported = on_imported
        self._depth = 0
        self._thread = threading.get_ident()

    def install(self) -> None:
        """Begin to listen to imports."""
        sys.meta_path.insert(0, self)

    def tell(self, listener: ImportListener) -> None:
        """Have ``listener`` hear of imports from here on."""
        self._listener = listener

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Have the other finders find it, and listen to what their loader does."""
        if self._depth or threading.get_ident() != self._thread:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module") and is_library(spec):
                    assert spec.loader is not None
                    spec.loader = _HeardLoader(spec.loader, self)
                return spec
        return None

    def load(self, module: ModuleType, loader: Loader) -> None:
        """Load a module between the listener's two calls."""
        listener = self._listener
        before = None if listener is None else listener.before_import()
        self._depth += 1
        started = time.perf_counter()
        try:
            loader.exec_module(module)
        finally:
            self._depth -= 1
            if self._on_imported is not None:
                self._on_imported(module.__name__, time.perf_counter() - started)
            if listener is not None:
                listener.after_import(before)


class _HeardLoader(Loader):
    def __init__(self, loader: Loader, imports: LibraryImports) -> None:
        self._loader = loader
        self._imports = imports

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # User code that looks at the module sees its real loader.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._imports.load(module, self._loader)
