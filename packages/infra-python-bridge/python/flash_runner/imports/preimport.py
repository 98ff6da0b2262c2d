"""What a zygote imports ahead of the first request, so that every runner has it from its first moment."""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import time
from typing import Any

_GPU_DEVICES = "/dev/nvidia"


class Contaminated(Exception):
    """A module has left this process in a state that must not be forked and can't be undone: the process has to end."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"{module} {reason}")
        self.module = module
        self.reason = reason


def preimport(names: list[str], most_seconds: float, most_bytes: int) -> dict[str, Any]:
    """Import what can be imported within the budget of time and memory.

    Returns the modules that were imported, each with its milliseconds, and why others were not. Raises
    :class:`Contaminated` for a module that starts threads which would not survive a fork, that opens a GPU, or that takes
    more memory than there is for all.
    """
    imported: dict[str, float] = {}
    refused: dict[str, str] = {}
    started = time.perf_counter()
    before = _resident_bytes()
    for name in names:
        began = time.perf_counter()
        if began - started > most_seconds:
            refused[name] = "there was no time left for it"
            continue
        try:
            importlib.import_module(name)
        except BaseException as error:
            refused[name] = f"{type(error).__name__}: {error}"
        else:
            imported[name] = round((time.perf_counter() - began) * 1000, 1)
        _check(name, before, most_bytes)
    return {"imported": imported, "refused": refused}


def _check(name: str, before: int, most_bytes: int) -> None:
    if _threads() > 1 and not _threads_end_at_fork():
        raise Contaminated(name, "starts threads when it is imported")
    if _opens_gpu():
        raise Contaminated(name, "opens the GPU when it is imported")
    if _resident_bytes() - before > most_bytes:
        raise Contaminated(name, "takes too much memory")


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        import threading

        return threading.active_count()


def _threads_end_at_fork() -> bool:
    """Whether the threads end before each fork and begin anew when needed, as those of linear algebra libraries do."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return _threads() == 1


def _opens_gpu(directory: str = "/proc/self/fd", devices: str = _GPU_DEVICES) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(directory):
            with contextlib.suppress(OSError):
                if os.readlink(os.path.join(directory, descriptor)).startswith(devices):
                    return True
    return False


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
