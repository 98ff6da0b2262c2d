"""What user code finds around it: search path, working directory, timers."""

from __future__ import annotations

import os
import signal
import sys


class ProcessState:
    """As they are when a request begins; what one request changes of them is not left to the next."""

    def __init__(self) -> None:
        self._directory = os.getcwd()
        self._path = list(sys.path)

    def keep_path(self) -> None:
        """Have later requests find the search path as it is now."""
        self._path = list(sys.path)

    def import_from(self, directory: str) -> None:
        """Have later requests find modules in ``directory``, before all others."""
        if directory not in self._path:
            self._path.insert(0, directory)

    def restore(self) -> None:
        """Undo what a request has changed."""
        signal.alarm(0)
        if sys.path != self._path:
            sys.path[:] = self._path
        try:
            if os.getcwd() == self._directory:
                return
        except OSError:
            pass
        try:
            os.chdir(self._directory)
        except OSError:
            os.chdir("/")
