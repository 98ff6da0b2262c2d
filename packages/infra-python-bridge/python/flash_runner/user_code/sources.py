"""Source code of requests: a real file each, compiled once, run in a fresh module each time.

As the file can be imported by its name, processes that don't share memory with this one (``spawn``, ``forkserver``, process
pools) find what the code defines, as do ``inspect`` and tracebacks.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections import OrderedDict
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import cloudpickle

from ..state.stores import Stores, stores_of
from .computing import only_computes
from .failures import RequestError

# Classes and functions of this module are pickled by value: no client could import it.
MODULE_NAME = "flash_live"
_MOST_SOURCES = 256


class Source(NamedTuple):
    """A compiled source."""

    code: CodeType
    directory: str
    """Where other processes can import it."""
    only_computes: bool
    """See :mod:`flash_runner.user_code.computing`."""
    stores: Stores


class Sources:
    """A bounded cache of compiled sources, with a directory for each, from which other processes can import its module."""

    def __init__(self, directory: str) -> None:
        """``directory`` belongs to this process alone, and is made when it is needed."""
        self._directory = directory
        self._sources: OrderedDict[str, Source] = OrderedDict()
        self._count = 0

    def get(self, source: str) -> Source:
        """Compile a source, or find it.

        Raises:
            SyntaxError: it is no Python.
        """
        return self._sources.get(source) or self._add(source)

    def run(self, source: Source) -> ModuleType:
        """Execute a source as the body of a new module and return it."""
        module = ModuleType(MODULE_NAME)
        file = source.code.co_filename
        loader = SourceFileLoader(MODULE_NAME, file)
        spec = module.__spec__ = ModuleSpec(MODULE_NAME, loader, origin=file)
        spec.has_location = True
        module.__file__, module.__loader__ = file, loader
        if source.only_computes:
            # It starts no process that would have to import it.
            sys.modules[MODULE_NAME] = module
        else:
            activate(module)
        exec(source.code, module.__dict__)
        return module

    def _add(self, source: str) -> Source:
        directory = os.path.join(self._directory, str(self._count))
        file = os.path.join(directory, f"{MODULE_NAME}.py")
        self._count += 1
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        code = compile(source, file, "exec", dont_inherit=True)
        added = self._sources[source] = Source(code, directory, only_computes(source), stores_of(code))
        try:
            os.makedirs(directory, 0o700)
            with open(file, "w", encoding="utf-8", errors="surrogatepass") as written:
                written.write(source)
        except OSError:
            # The source runs without its file, which only other processes need: a full disk is no reason to refuse it.
            pass
        if len(self._sources) > _MOST_SOURCES:
            _, oldest = self._sources.popitem(last=False)
            linecache.cache.pop(oldest.code.co_filename, None)
            import shutil  # imported late: it takes long, and few processes have so many sources

            shutil.rmtree(oldest.directory, ignore_errors=True)
        return added


def activate(module: ModuleType) -> None:
    """Make a module of live code the one that is found under its name, here and in processes that import it."""
    if module.__name__ != MODULE_NAME:
        return
    sys.modules[MODULE_NAME] = module
    directory = os.path.dirname(module.__file__ or "")
    if directory and sys.path[:1] != [directory]:
        sys.path.insert(0, directory)


def deactivate() -> None:
    """Let go of the module, so that what it holds can be freed."""
    sys.modules[MODULE_NAME] = _PLACEHOLDER


_PLACEHOLDER = ModuleType(MODULE_NAME)


def prepare() -> None:
    """Have cloudpickle write what live modules define by value."""
    deactivate()
    cloudpickle.register_pickle_by_value(_PLACEHOLDER)


def find(module: ModuleType, name: str, what: str) -> Any:
    """The function or class ``name`` of a module; the error names what there is instead."""
    try:
        return getattr(module, name)
    except AttributeError:
        defined = [key for key, value in vars(module).items() if callable(value) and not key.startswith("__")]
        has = f"it defines: {', '.join(sorted(defined)[:20])}" if defined else "it defines no function or class"
        raise RequestError(f"{what} '{name}' not found in {where(module)}; {has}") from None


def where(module: ModuleType) -> str:
    """What the author of the code calls the module."""
    return "the provided code" if module.__name__ == MODULE_NAME else f"module '{module.__name__}' of the deployed app"
