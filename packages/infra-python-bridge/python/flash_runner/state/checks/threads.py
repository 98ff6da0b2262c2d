"""Threads that a request has started and not ended."""

from __future__ import annotations

import _thread
import threading
import time
from typing import Any

from ..check import Bounds, Check

_count, _enumerate, _sleep = _thread._count, threading.enumerate, time.sleep
# A thread that was told to end takes a moment for it.
_GRACE_SECONDS = 0.005
_POLL_SECONDS = 0.0005


class Threads(Check):
    name = "threads"
    title = "threads that still run"
    needs_process = True

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._kept = _count()

    def left_behind(self) -> str | None:
        if _count() <= self._kept:
            return None
        waited = 0.0
        while _count() > self._kept and waited < _GRACE_SECONDS:
            _sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        left = _count() - self._kept
        if left <= 0:
            return None
        names = [thread.name for thread in _enumerate() if thread is not threading.main_thread()]
        return f"it left {left} thread{'s' if left > 1 else ''} running: {', '.join(names[-left:][:5]) or 'without a name'}"

    def before_import(self) -> int:
        return _count()

    def after_import(self, before: Any) -> None:
        self._kept += max(0, _count() - before)


CHECK = Threads
