"""Bounds and rhythms of the interpreter."""

from __future__ import annotations

import sys
from typing import Any

from ..kind import Kind

# Python 3.10 has no bound for the digits of a number.
_get_digits = getattr(sys, "get_int_max_str_digits", lambda: 0)
_set_digits = getattr(sys, "set_int_max_str_digits", lambda _digits: None)
_get_recursion, _set_recursion = sys.getrecursionlimit, sys.setrecursionlimit
_get_interval, _set_interval = sys.getswitchinterval, sys.setswitchinterval


class InterpreterLimits(Kind):
    title = "recursion limit, switch interval, longest number as text"

    def read(self) -> tuple[Any, ...]:
        return _get_recursion(), _get_interval(), _get_digits()

    def write(self, value: tuple[Any, ...]) -> None:
        _set_recursion(value[0])
        _set_interval(value[1])
        _set_digits(value[2])


KIND = InterpreterLimits()
