"""The end of a runner that is not needed any more."""

from __future__ import annotations

import atexit
import os
import threading
from typing import NoReturn

_shutdown = getattr(threading, "_shutdown", None)
_run_exit_functions = getattr(atexit, "_run_exitfuncs", None)
_exit = os._exit


def leave() -> NoReturn:
    """End as a Python process does: wait for threads that are no daemons, run what was registered for the exit.

    The supervisor kills the process when that takes longer than ``FLASH_RUNNER_EXIT_MS``.
    """
    try:
        for step in (_shutdown, _run_exit_functions):
            if step is not None:
                step()
    finally:
        _exit(0)
