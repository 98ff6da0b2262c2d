"""Processes that a request has started and not ended."""

from __future__ import annotations

import time

from ...system.process_control import bury_children, command_of, has_children, live_children
from ..check import Check

_sleep = time.sleep
# A process that was told to end takes a moment for it.
_GRACE_SECONDS = 0.005
_POLL_SECONDS = 0.0005


class Children(Check):
    name = "children"
    title = "processes that still run"
    needs_process = True

    def left_behind(self) -> str | None:
        if not has_children():
            return None
        left = live_children()
        waited = 0.0
        while left and waited < _GRACE_SECONDS:
            _sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
            left = live_children()
        if not left:
            # The code that started these processes is gone, so that the runner has to wait for those that are dead.
            bury_children()
            return None
        processes = ", ".join(f"{pid} ({command_of(pid)})" for pid in left[:5])
        return f"it left {len(left)} process{'es' if len(left) > 1 else ''} running: {processes}"


CHECK = Children
