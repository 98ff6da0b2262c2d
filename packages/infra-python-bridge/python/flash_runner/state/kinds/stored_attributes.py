"""Attributes that a request's code has stored into modules, and into classes and objects of modules."""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from ..kind import Kind
from ..stores import Stores

_ABSENT = object()
_MODULES = sys.modules
_callable, _vars, _isinstance, _type = callable, vars, isinstance, type
_DESCRIPTORS = (property, classmethod, staticmethod)
# A bound for code that names very much.
_MOST_OWNERS = 500


class _Owner(NamedTuple):
    thing: Any
    attributes: dict[str, Any]


class _Stored(NamedTuple):
    thing: Any
    name: str
    was: Any
    then: Any


_NOTHING = Stores(frozenset(), frozenset())


class StoredAttributes(Kind):
    """What the code names is followed from the modules that it names; only attributes that it stores into are looked at.

    Functions and classes that were replaced are left to ``checks/patches.py``, as other code may hold them already.
    """

    title = "attributes of modules, and of their classes and objects, that the code itself assigns (`library.setting = 1`)"

    def __init__(self) -> None:
        self._stores = _NOTHING
        self._owners: dict[int, _Owner] = {}

    def expect(self, stores: Stores) -> None:
        """What code that is about to run stores into."""
        self._stores = stores
        if stores.attributes:
            self._learn()

    def read(self) -> list[_Stored]:
        """What was stored since: an instance finds it again."""
        found = []
        for thing, attributes in self._owners.values():
            values = _vars(thing)
            for name, was in attributes.items():
                now = values.get(name, _ABSENT)
                if now is not was and _is_data(thing, was, now):
                    found.append(_Stored(thing, name, was, now))
        return found

    def same(self, one: Any, other: Any) -> bool:
        # Each library that is imported may be one that the code stores into.
        return False

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        if self._stores.attributes:
            self._learn()
        return kept

    def restore(self, value: list[_Stored]) -> None:
        if self._owners:
            for thing, name, was, _ in self.read():
                _put(thing, name, was)
            self._owners = {}
        self._stores = _NOTHING
        for thing, name, was, then in value:
            self._owners.setdefault(id(thing), _Owner(thing, {})).attributes[name] = was
            _put(thing, name, then)

    def _learn(self) -> None:
        names, attributes = self._stores
        named = [name for name in names if name in _MODULES]
        # A package gets the attribute for a module in it only after that module's import has been told of.
        parts = [f"{package}.{name}" for package in named if hasattr(_MODULES[package], "__path__") for name in names]
        left: list[Any] = [_MODULES[name] for name in (*named, *parts) if name in _MODULES]
        seen: set[int] = set()
        while left and len(seen) < _MOST_OWNERS:
            thing = left.pop()
            if id(thing) in seen or not _has_plain_attributes(thing):
                continue
            seen.add(id(thing))
            values = _vars(thing)
            known = self._owners.setdefault(id(thing), _Owner(thing, {})).attributes
            for name in attributes:
                known.setdefault(name, values.get(name, _ABSENT))
            left.extend([values[name] for name in names if name in values])
            if not _isinstance(thing, (ModuleType, type)):
                left.append(_type(thing))


def _has_plain_attributes(thing: Any) -> bool:
    """Whether its attributes can be read and put back without asking it."""
    if _type(thing) is ModuleType or _isinstance(thing, type):
        return not getattr(thing, "__name__", "").startswith("flash_")
    if _isinstance(thing, (ModuleType, FunctionType)):
        return False
    try:
        return _type(object.__getattribute__(thing, "__dict__")) is dict
    except (AttributeError, TypeError):
        return False


def _is_data(thing: Any, was: Any, now: Any) -> bool:
    if _isinstance(now, ModuleType):
        # A submodule that was imported.
        return False
    if was is _ABSENT or not _isinstance(thing, (ModuleType, type)):
        return True
    return not (_callable(was) or _isinstance(was, _DESCRIPTORS))


def _put(thing: Any, name: str, value: Any) -> None:
    if _isinstance(thing, type):
        if value is _ABSENT:
            type.__delattr__(thing, name)
        else:
            type.__setattr__(thing, name, value)
    elif value is _ABSENT:
        _vars(thing).pop(name, None)
    else:
        _vars(thing)[name] = value


KIND = StoredAttributes()
