"""Attributes of ``sys`` and ``threading`` that programs set: arguments, hooks, what is traced and profiled."""

from __future__ import annotations

import sys
import threading
from typing import Any

from ..kind import Kind, identical

_ABSENT = object()
_OF_SYS = (
    "argv",
    "breakpointhook",
    "displayhook",
    "dont_write_bytecode",
    "excepthook",
    "executable",
    "prefix",
    "pycache_prefix",
    "stdin",
    "__stdin__",
    "tracebacklimit",
    "unraisablehook",
)
_OF_THREADING = ("excepthook", "_trace_hook", "_profile_hook")
_get_trace, _set_trace, _get_profile, _set_profile = sys.gettrace, sys.settrace, sys.getprofile, sys.setprofile


class InterpreterAttributes(Kind):
    title = "`sys.argv`, `sys.stdin`, except, display and unraisable hooks, trace and profile functions"

    def __init__(self) -> None:
        self._arguments = list(sys.argv)

    def read(self) -> tuple[Any, ...]:
        of_sys, of_threading = vars(sys), vars(threading)
        return (
            tuple(sys.argv),
            _get_trace(),
            _get_profile(),
            *[of_sys.get(name, _ABSENT) for name in _OF_SYS],
            *[of_threading.get(name, _ABSENT) for name in _OF_THREADING],
        )

    def same(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        return bool(one[0] == other[0]) and identical(one[1:], other[1:])

    def write(self, value: tuple[Any, ...]) -> None:
        arguments, trace, profile, *attributes = value
        for module, names in ((sys, _OF_SYS), (threading, _OF_THREADING)):
            for name in names:
                _put(module, name, attributes.pop(0))
        sys.argv[:] = arguments
        _set_trace(trace)
        _set_profile(profile)


def _put(module: Any, name: str, value: Any) -> None:
    if value is _ABSENT:
        vars(module).pop(name, None)
    else:
        vars(module)[name] = value


KIND = InterpreterAttributes()
