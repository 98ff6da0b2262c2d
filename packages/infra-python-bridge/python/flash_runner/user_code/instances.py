"""Instances of user classes that live from request to request."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

from .modules import ModuleSet


class Instance(NamedTuple):
    """A live object, the module its class was defined in, and the local modules it may still import from."""

    value: Any
    module: ModuleType
    modules: ModuleSet | None


class Instances:
    """The instances of one runner. The supervisor, which sees all runners, decides how many may live."""

    def __init__(self) -> None:
        self._table: dict[str, Instance] = {}

    @property
    def is_empty(self) -> bool:
        return not self._table

    def get(self, name: str) -> Instance | None:
        return self._table.get(name)

    def keep(self, name: str, instance: Instance) -> None:
        """Keep an instance; one of the same name is replaced."""
        self._table[name] = instance

    def drop(self, name: str) -> None:
        """Let go of an instance; its destructor may run here."""
        self._table.pop(name, None)
