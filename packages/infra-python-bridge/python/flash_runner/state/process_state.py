"""The state of a runner's process, from request to request.

A function request finds it as the zygote has made it; one of an instance, or of a deployed app, as the instance has left it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from .check import Bounds, Check
from .kind import Irreversible, Kind
from .stores import Stores


def _modules_of(room: str) -> list[Any]:
    directory = os.path.join(os.path.dirname(os.path.abspath(__file__)), room)
    names = sorted({name.partition(".")[0] for name in os.listdir(directory)} - {"__init__", "__pycache__"})
    return [importlib.import_module(f".{room}.{name}", __package__) for name in names]


# The zygote imports them with this module: that takes as long as everything else a runner does before its first request.
_KINDS, _CHECKS = _modules_of("kinds"), _modules_of("checks")


class Retirement(NamedTuple):
    """Why a process must not serve another function request."""

    kind: str
    """A word for the metric."""
    reason: str


def load_kinds() -> list[Kind]:
    """The kinds, in the order in which they are restored."""
    return [module.KIND for module in _KINDS]


def load_checks(bounds: Bounds) -> list[Check]:
    """The checks, in the order in which they look."""
    return [module.CHECK(bounds) for module in _CHECKS]


class ProcessState:
    """Keeps what every kind of state was like at the start, and at the end of each instance's last request."""

    def __init__(self, bounds: Bounds) -> None:
        self._kinds = load_kinds()
        self._checks = load_checks(bounds)
        self._checks_of_computing = [check for check in self._checks if check.of_computing]
        looking: list[Any] = [*self._kinds, *self._checks]
        self._expect: list[Callable[[Stores], None]] = [one.expect for one in looking if hasattr(one, "expect")]
        self._kept = [kind.read() for kind in self._kinds]
        self._owner: str | None = None
        self._of_owners: dict[str, list[Any]] = {}

    def enter(self, owner: str | None) -> Retirement | None:
        """Begin a request of ``owner`` (an instance or a deployed app; ``None``: a function): restore what it is to find.

        Returns why that is not possible.
        """
        if owner == self._owner:
            return None
        if self._owner is not None:
            for check in self._checks:
                reason = check.left_behind() if check.needs_process else None
                if reason is not None:
                    return Retirement(check.name, f"an instance has the process to itself: {reason}")
            self._of_owners[self._owner] = [kind.read() for kind in self._kinds]
        self._owner = owner
        return self._restore(self._kept if owner is None else self._of_owners.pop(owner, self._kept))

    def leave(self, only_computed: bool = False) -> Retirement | None:
        """End a function request: put back what it has changed. Returns why that was not possible.

        Args:
            only_computed: its code and its arguments could not change the process: only what computing leaves is looked at.
        """
        if only_computed:
            return self._look(self._checks_of_computing)
        return self._restore(self._kept) or self._look(self._checks)

    @property
    def has_owners(self) -> bool:
        """Whether an instance or an app lives in the process, whose threads may change it at any time."""
        return self._owner is not None or bool(self._of_owners)

    def forget(self, owner: str) -> None:
        """Forget the state of an instance that is gone."""
        self._of_owners.pop(owner, None)

    def expect(self, stores: Stores) -> None:
        """Tell the kinds and checks what code may store into that is about to run for the first time in this request."""
        for expect in self._expect:
            expect(stores)

    def before_import(self) -> list[Any]:
        """Called when the import of a library begins."""
        return [[kind.read() for kind in self._kinds], [check.before_import() for check in self._checks]]

    def after_import(self, before: list[Any]) -> None:
        """Called when the import has ended: its changes to the process stay."""
        kinds, checks = before
        for place, kind in enumerate(self._kinds):
            now = kind.read()
            if not kind.same(kinds[place], now):
                self._kept[place] = kind.after_import(self._kept[place], kinds[place], now)
        for check, was in zip(self._checks, checks, strict=True):
            check.after_import(was)

    def _restore(self, values: list[Any]) -> Retirement | None:
        for kind, value in zip(self._kinds, values, strict=True):
            try:
                kind.restore(value)
            except Irreversible as error:
                return Retirement("state", str(error))
            except Exception as error:
                return Retirement("state", f"this could not be put back: {kind.title} ({type(error).__name__})")
        return None

    @staticmethod
    def _look(checks: list[Check]) -> Retirement | None:
        for check in checks:
            reason = check.left_behind()
            if reason is not None:
                return Retirement(check.name, reason)
        return None
