"""Source code of requests: compiled once, run in a fresh module each time, with its lines shown in tracebacks."""

from __future__ import annotations

import binascii
import linecache
import sys
from collections import OrderedDict
from types import CodeType, ModuleType
from typing import Any

import cloudpickle

from .failures import RequestError

# Classes and functions of this module are pickled by value: no client could import it.
MODULE_NAME = "flash_live"
_MOST_SOURCES = 256


class Sources:
    """Bounded cache of compiled sources."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[str, CodeType] = OrderedDict()

    def run(self, source: str, title: str) -> ModuleType:
        """Execute ``source`` as the body of a new module and return it."""
        code = self._compiled.get(source)
        if code is None:
            code = self._compile(source, title)
        module = ModuleType(MODULE_NAME)
        activate(module)
        exec(code, module.__dict__)
        return module

    def _compile(self, source: str, title: str) -> CodeType:
        # Names, not proofs. hashlib would bring OpenSSL, an eighth of what Python takes to start here.
        checksum = binascii.crc32(source.encode("utf-8", "surrogatepass"))
        filename = f"<{title} {checksum:08x}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        code = compile(source, filename, "exec", dont_inherit=True)
        self._compiled[source] = code
        if len(self._compiled) > _MOST_SOURCES:
            _, oldest = self._compiled.popitem(last=False)
            linecache.cache.pop(oldest.co_filename, None)
        return code


def activate(module: ModuleType) -> None:
    """Make a module of live code the one that dataclasses, typing and pickle find under its name."""
    if module.__name__ == MODULE_NAME:
        sys.modules[MODULE_NAME] = module


def prepare() -> None:
    """Have cloudpickle write what live modules define by value."""
    placeholder = ModuleType(MODULE_NAME)
    activate(placeholder)
    cloudpickle.register_pickle_by_value(placeholder)


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
