"""Open files and connections."""

from __future__ import annotations

import gc
import os
from typing import Any

from ..check import Bounds, Check

_duplicate, _close, _collect = os.dup, os.close, gc.collect


def _lowest_free() -> int:
    descriptor = _duplicate(0)
    _close(descriptor)
    return descriptor


class Descriptors(Check):
    """Looks at the lowest free descriptor, which grows with the number of those that are left open."""

    name = "descriptors"
    title = "more open descriptors than `FLASH_RUNNER_MAX_DESCRIPTORS_LEFT`"

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._kept = _lowest_free()

    def left_behind(self) -> str | None:
        try:
            left = _lowest_free() - self._kept
            if left > self.bounds.descriptors:
                # Objects that refer to each other, such as event loops, close their files when they are collected.
                _collect()
                left = _lowest_free() - self._kept
        except OSError as error:
            return f"no file can be opened any more: {error}"
        if left <= self.bounds.descriptors:
            return None
        return f"requests left {left} descriptors open, the bound is {self.bounds.descriptors}"

    def before_import(self) -> int:
        return _lowest_free()

    def after_import(self, before: Any) -> None:
        self._kept += max(0, _lowest_free() - before)


CHECK = Descriptors
