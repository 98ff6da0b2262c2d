"""The directory that relative paths begin at."""

from __future__ import annotations

import os

from ..kind import Kind

_get, _change = os.getcwd, os.chdir


class WorkingDirectory(Kind):
    title = "working directory"

    def read(self) -> str | None:
        try:
            return _get()
        except OSError:
            return None

    def write(self, value: str | None) -> None:
        try:
            _change(value or "/")
        except OSError:
            # The directory was removed. A new process would start at the root as well.
            _change("/")


KIND = WorkingDirectory()
