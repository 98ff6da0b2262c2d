"""Which replacements of packages a runner knows of."""

from __future__ import annotations

import importlib
import sys
from typing import Any


class PackageEpoch:
    """The number of the last replacement that this runner knows of; each request's header has the current one."""

    def __init__(self) -> None:
        self._number = 0

    def is_current(self, header: dict[str, Any]) -> bool:
        """Whether nothing was replaced since the last request."""
        return bool(header["epoch"] == self._number)

    def advance(self, header: dict[str, Any]) -> bool:
        """Take note of what was replaced since the last request. ``True`` when this process has imported some of it."""
        if header["epoch"] == self._number:
            return False
        self._number = header["epoch"]
        importlib.invalidate_caches()
        if header.get("pinned"):
            return False
        return any(name in sys.modules for name in header["replaced"])
