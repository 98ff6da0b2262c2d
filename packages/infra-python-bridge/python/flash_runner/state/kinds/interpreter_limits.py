"""Bounds and rhythms of the interpreter."""

from __future__ import annotations

import sys
import threading
from typing import Any

from ..kind import Kind

# Python 3.10 has no bound for the digits of a number.
_get_digits = getattr(sys, "get_int_max_str_digits", lambda: 0)
_set_digits = getattr(sys, "set_int_max_str_digits", lambda _digits: None)
_get_recursion, _set_recursion = sys.getrecursionlimit, sys.setrecursionlimit
_get_interval, _set_interval = sys.getswitchinterval, sys.setswitchinterval

_get_depth, _set_depth = sys.get_coroutine_origin_tracking_depth, sys.set_coroutine_origin_tracking_depth
_get_hooks, _set_hooks = sys.get_asyncgen_hooks, sys.set_asyncgen_hooks
_get_flags, _set_flags = sys.getdlopenflags, sys.setdlopenflags
_stack_size = threading.stack_size


class InterpreterLimits(Kind):
    title = "limits of recursion, switches and digits, stack size, `set_asyncgen_hooks`, coroutine origins, `dlopen` flags"

    def read(self) -> tuple[Any, ...]:
        return _get_recursion(), _get_interval(), _get_digits(), _get_depth(), _get_hooks(), _get_flags(), _stack_size()

    def write(self, value: tuple[Any, ...]) -> None:
        _set_recursion(value[0])
        _set_interval(value[1])
        _set_digits(value[2])
        _set_depth(value[3])
        _set_hooks(*value[4])
        _set_flags(value[5])
        _stack_size(value[6])


KIND = InterpreterLimits()
