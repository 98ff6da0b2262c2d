"""The environment variables as C code and child processes see them (Linux).

``os.putenv`` and C code change them without ``os.environ``, which has a copy of its own.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

_put, _unset = os.putenv, os.unsetenv
_libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
_pointer = ctypes.c_void_p
_read, _size = ctypes.string_at, ctypes.sizeof(_pointer)
_start: Any = None if _libc is None else _pointer.in_dll(_libc, "environ")
# Where the list of variables is, its length in bytes, and the addresses in it.
_kept: tuple[int | None, int, bytes] | None = None


def keep() -> None:
    """Remember what the variables are."""
    global _kept
    if _start is not None:
        start = _start.value
        length = (len(_entries()) + 1) * _size
        _kept = start, length, _read(start, length) if start else b""


def is_as_kept() -> bool:
    """Whether no variable was added, changed or removed. Looks at the addresses of their texts alone."""
    if _kept is None:
        keep()
    if _kept is None:
        return True
    start, length, places = _kept
    return bool(_start.value == start and (start is None or _read(start, length) == places))


def replace(variables: dict[bytes, bytes]) -> None:
    """Have exactly these."""
    if _start is None:
        return
    for name in {entry.partition(b"=")[0] for entry in _entries()} - variables.keys():
        _unset(name)
    for name, text in variables.items():
        _put(name, text)


def _entries() -> list[bytes]:
    found: list[bytes] = []
    place = _start.value
    while place:
        entry = _pointer.from_address(place).value
        if entry is None:
            break
        found.append(_read(entry))
        place += _size
    return found
