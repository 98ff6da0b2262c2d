"""What the kernel can do so that no process is ever left behind (Linux; elsewhere each call does nothing)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
_PR_SET_NAME, _PR_GET_NAME = 15, 16
_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30
_PR_GET_CHILD_SUBREAPER = 37
_PR_GET_NO_NEW_PRIVS = 39
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# glibc takes no larger one.
_MOST_MMAP_THRESHOLD = 32 * 1024 * 1024

_waitid = getattr(os, "waitid", None)
_LOOK_FOR_CHILDREN = (os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def _of_libm(name: str, default: Any) -> Any:
    for library in (None, "libm.so.6"):
        try:
            return getattr(ctypes.CDLL(library), name)
        except (OSError, AttributeError):
            continue
    return default


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_name, _adopts = ctypes.create_string_buffer(17), ctypes.c_int()
_to_adopts = ctypes.byref(_adopts)
# Other C libraries than glibc have them in the one library too.
_get_rounding: Any = _of_libm("fegetround", lambda: 0)
_set_rounding: Any = _of_libm("fesetround", lambda _mode: 0)


def keep_freed_memory(limit: int) -> None:
    """Have the C allocator keep up to ``limit`` freed bytes instead of giving them back after every large request.

    Getting them again means a page fault for every 4 KiB, which took half the time of an 8 MB argument.
    """
    if _libc is not None and hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_MMAP_THRESHOLD, _MOST_MMAP_THRESHOLD)
        _libc.mallopt(_M_TRIM_THRESHOLD, limit)


def adopt_orphans() -> None:
    """Make this process the parent of orphaned descendants, so that daemons of user code can be found and ended."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, and end now when that has happened already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def process_attributes() -> tuple[Any, ...]:
    """What ``prctl`` tells of this process and its main thread, and how the processor rounds."""
    if _libc is None:
        return ()
    _libc.prctl(_PR_GET_NAME, _name, 0, 0, 0)
    _libc.prctl(_PR_GET_CHILD_SUBREAPER, _to_adopts, 0, 0, 0)
    numbers = [
        _libc.prctl(attribute, 0, 0, 0, 0) for attribute in (_PR_GET_DUMPABLE, _PR_GET_TIMERSLACK, _PR_GET_NO_NEW_PRIVS)
    ]
    return _name.value, _adopts.value, *numbers, _get_rounding()


def set_process_attributes(value: tuple[Any, ...]) -> None:
    """Make them what they were, as far as the kernel lets them be."""
    if _libc is not None:
        attributes = (_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER, _PR_SET_DUMPABLE, _PR_SET_TIMERSLACK)
        for attribute, kept in zip(attributes, value, strict=False):
            _libc.prctl(attribute, kept, 0, 0, 0)
        _set_rounding(value[-1])


def has_children() -> bool:
    """Whether this process has children, dead ones that were not waited for included. Costs one system call."""
    if _waitid is None:
        return False
    try:
        _waitid(*_LOOK_FOR_CHILDREN)
    except ChildProcessError:
        return False
    return True


def live_children() -> list[int]:
    """Ids of this process's children that still run."""
    return [child for child in children() if not _is_zombie(child)]


def children() -> list[int]:
    """Ids of this process's children, dead ones that were not waited for included."""
    found: list[int] = []
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as listing:
                found.extend(int(child) for child in listing.read().split())
    except OSError:
        pass
    return found


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def bury_children() -> None:
    """Wait for every child that is dead already."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def command_of(pid: int) -> str:
    """What a process runs, in one word; "?" when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as command:
            return command.read().strip()
    except OSError:
        return "?"


def give_back_freed_memory() -> None:
    """Have the C allocator return what is free, where it can (glibc)."""
    if _libc is not None and hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
