"""How the garbage collector is set."""

from __future__ import annotations

import gc
from typing import Any

from ..kind import Kind

_is_enabled, _enable, _disable = gc.isenabled, gc.enable, gc.disable
_get_threshold, _set_threshold, _get_debug, _set_debug = gc.get_threshold, gc.set_threshold, gc.get_debug, gc.set_debug
_callbacks = gc.callbacks


class GarbageCollector(Kind):
    title = "garbage collector: enabled, thresholds, debug flags, callbacks"

    def read(self) -> tuple[Any, ...]:
        return _is_enabled(), _get_threshold(), _get_debug(), tuple(_callbacks)

    def write(self, value: tuple[Any, ...]) -> None:
        enabled, threshold, debug, callbacks = value
        (_enable if enabled else _disable)()
        _set_threshold(*threshold)
        _set_debug(debug)
        _callbacks[:] = callbacks


KIND = GarbageCollector()
