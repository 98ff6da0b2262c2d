"""Memory that requests have used and not given back."""

from __future__ import annotations

import gc
import os
import resource
import sys

from ...system.process_control import give_back_freed_memory
from ..check import Bounds, Check

_read, _collect, _freeze = os.pread, gc.collect, gc.freeze
_PAGE = resource.getpagesize()
# A module and its functions refer to each other: only a collection frees what a request's module held.
_COLLECT_BYTES = 16 * 1024 * 1024


class Memory(Check):
    """Collects when a request has left much, and notices when that was not enough."""

    name = "memory"
    title = "more memory than `FLASH_RUNNER_MAX_BYTES_LEFT`, after a collection"
    of_computing = True

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._statm = -1
        self._modules = len(sys.modules)
        self._kept = self._last = self._resident()

    def left_behind(self) -> str | None:
        resident = self._resident()
        has_imported = len(sys.modules) != self._modules
        if resident - self._last > _COLLECT_BYTES or has_imported:
            _collect()
            resident = self._resident()
            if resident - self._last > _COLLECT_BYTES:
                give_back_freed_memory()
                resident = self._resident()
        self._last = resident
        if has_imported:
            # Libraries stay in memory: later collections need not look at them.
            _freeze()
            self._modules = len(sys.modules)
            self._kept = resident
        left = resident - self._kept
        if left <= self.bounds.memory_bytes:
            return None
        return f"requests left {left} bytes behind, the bound is {self.bounds.memory_bytes}"

    def _resident(self) -> int:
        try:
            return int(_read(self._statm, 64, 0).split()[1]) * _PAGE
        except OSError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


CHECK = Memory
