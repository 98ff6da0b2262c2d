"""Names of the main thread and of the process, which logs show."""

from __future__ import annotations

import sys
import threading
from typing import Any

from ..kind import Kind

_modules, _thread = sys.modules, threading.main_thread()
_attributes = vars(_thread)


class MainThread(Kind):
    title = "name of the main thread; name and key of the process in `multiprocessing`"

    def read(self) -> tuple[Any, ...]:
        process = getattr(_modules.get("multiprocessing.process"), "_current_process", None)
        return _attributes["_name"], None if process is None else (process._name, process._config.get("authkey"))

    def same(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        return bool(one == other)

    def write(self, value: tuple[Any, ...]) -> None:
        _attributes["_name"] = value[0]
        if value[1] is not None:
            process = _modules["multiprocessing.process"]._current_process
            process._name, process._config["authkey"] = value[1]

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        return kept[0], after[1] if kept[1] is None else kept[1]


KIND = MainThread()
