"""The umask."""

from __future__ import annotations

import os

from ..kind import Kind

_umask = os.umask


class FileModeMask(Kind):
    title = "umask"

    def read(self) -> int:
        # The system tells the mask only to a process that sets another one.
        value = _umask(0o077)
        _umask(value)
        return value

    def write(self, value: int) -> None:
        _umask(value)

    def restore(self, value: int) -> None:
        _umask(value)


KIND = FileModeMask()
