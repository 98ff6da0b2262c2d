"""Functions and modules that a request has replaced."""

from __future__ import annotations

import builtins
import io
import json
import os
import pickle
import sys
import threading
import time
from operator import itemgetter
from types import FunctionType, ModuleType
from typing import Any

from ..check import Bounds, Check
from ..kind import identical
from ..stores import Stores

_vars, _type, _callable, _modules = vars, type, callable, sys.modules
# What the runner itself relies on is looked at after every request.
_RELIED_ON: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (
        builtins,
        (
            "__build_class__",
            "__import__",
            "all",
            "any",
            "bool",
            "bytes",
            "callable",
            "compile",
            "dict",
            "enumerate",
            "exec",
            "frozenset",
            "getattr",
            "hasattr",
            "hash",
            "id",
            "int",
            "isinstance",
            "iter",
            "len",
            "list",
            "map",
            "max",
            "min",
            "next",
            "object",
            "open",
            "print",
            "property",
            "range",
            "repr",
            "set",
            "setattr",
            "sorted",
            "str",
            "sum",
            "super",
            "tuple",
            "type",
            "vars",
            "zip",
        ),
    ),
    (io, ("BufferedWriter", "FileIO", "TextIOWrapper")),
    (json, ("dumps", "loads")),
    (os, ("close", "dup", "dup2", "fork", "fstat", "getcwd", "getpid", "mkfifo", "open", "pipe", "read", "stat", "write")),
    (pickle, ("dumps", "loads", "Pickler", "Unpickler")),
    (threading, ("Lock", "RLock", "Thread", "current_thread", "enumerate", "main_thread")),
    (time, ("monotonic", "perf_counter", "sleep", "time")),
)
_DESCRIPTORS = (property, classmethod, staticmethod)
_STANDARD_LIBRARY = frozenset(getattr(sys, "stdlib_module_names", ()))


class Patches(Check):
    """Looks at the functions and classes of loaded modules; deeper when the request's code stores into attributes at all.

    Then all of the standard library is looked at, and the libraries and classes that the code names.
    """

    name = "patches"
    title = "functions and classes of modules that were replaced"

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._relied_on = [(_vars(module), itemgetter(*names)) for module, names in _RELIED_ON]
        self._relied_on_values = self._read_relied_on()
        self._relied_on_modules = tuple([module for module, _ in _RELIED_ON])
        self._find_relied_on = itemgetter(*[module.__name__ for module, _ in _RELIED_ON])
        self._known: dict[str, tuple[ModuleType, dict[str, Any]]] = {}
        self._classes: dict[type, tuple[str, dict[str, Any]]] = {}
        self._names: frozenset[str] | None = None

    def expect(self, stores: Stores) -> None:
        """What code of the next request may replace, before any of it has run."""
        self._names = stores.names or None
        if stores.names:
            self._learn()

    def left_behind(self) -> str | None:
        names, self._names = self._names, None
        replaced = self._look_at_relied_on()
        if replaced is not None:
            return replaced
        return None if names is None else self._look_deeper(names)

    def _look_at_relied_on(self) -> str | None:
        try:
            found = self._find_relied_on(_modules)
        except KeyError as error:
            return f"the module {error.args[0]} was removed"
        if not identical(found, self._relied_on_modules):
            return "a module of the standard library was replaced"
        try:
            now = self._read_relied_on()
        except KeyError as error:
            return f"{error.args[0]} was removed from a module of the standard library"
        if identical(now, self._relied_on_values):
            return None
        names = [f"{module.__name__}.{name}" for module, names in _RELIED_ON for name in names]
        replaced = [name for name, one, known in zip(names, now, self._relied_on_values, strict=True) if one is not known]
        return f"{replaced[0]} was replaced"

    def _read_relied_on(self) -> list[Any]:
        found: list[Any] = []
        for namespace, get in self._relied_on:
            found += get(namespace)
        return found

    def after_import(self, before: Any) -> None:
        if self._names is not None:
            self._learn()

    def _learn(self) -> None:
        """Remember what the modules are like that are not known yet."""
        for name, module in list(_modules.items()):
            if name not in self._known and _type(module) is ModuleType and not name.startswith("flash_"):
                self._known[name] = (module, _callables(module))
        names = self._names or frozenset()
        for module_name, (_, known) in self._known.items():
            for name in names & known.keys():
                value = known[name]
                if isinstance(value, type) and value not in self._classes:
                    self._classes[value] = (f"{module_name}.{name}", dict(_vars(value)))

    def _look_deeper(self, names: frozenset[str]) -> str | None:
        for name, (module, known) in self._known.items():
            top = name.partition(".")[0]
            if top not in _STANDARD_LIBRARY and top not in names:
                continue
            if _modules.get(name) is not module:
                return f"the module {name} was replaced"
            replaced = _replaced(module, known)
            if replaced is not None:
                return replaced
        for found, (name, attributes) in self._classes.items():
            now = _vars(found)
            for attribute, value in attributes.items():
                if now.get(attribute) is not value and (_callable(value) or isinstance(value, _DESCRIPTORS)):
                    return f"{name}.{attribute} was replaced"
            # A function that was added may cover a method of a base class in C.
            for attribute in now.keys() - attributes.keys():
                if isinstance(now[attribute], FunctionType):
                    return f"{name}.{attribute} was replaced"
        return None


def _callables(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in _vars(module).items() if _callable(value)}


def _replaced(module: ModuleType, known: dict[str, Any]) -> str | None:
    now = _vars(module)
    for name, value in known.items():
        if now.get(name) is not value:
            return f"{module.__name__}.{name} was replaced"
    return None


CHECK = Patches
