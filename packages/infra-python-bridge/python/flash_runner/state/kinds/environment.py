"""Environment variables, and the time zone that follows one of them."""

from __future__ import annotations

import os
import time
from typing import Any

from ..kind import Kind

_put, _unset, _set_time_zone = os.putenv, os.unsetenv, time.tzset
_environ = os.environ
_data: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]


class Environment(Kind):
    """``os.environ``, and the object itself."""

    title = "environment variables, time zone"

    def read(self) -> dict[bytes, bytes]:
        if os.environ is not _environ:
            vars(os)["environ"] = _environ
        return _data.copy()

    def write(self, value: dict[bytes, bytes]) -> None:
        for name in [name for name in _data if name not in value]:
            _unset(name)
            del _data[name]
        for name, text in value.items():
            if _data.get(name) != text:
                _put(name, text)
                _data[name] = text
        _set_time_zone()

    def restore(self, value: dict[bytes, bytes]) -> None:
        if _data != value or os.environ is not _environ:
            vars(os)["environ"] = _environ
            self.write(value)

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        changed = {name: text for name, text in after.items() if before.get(name) != text}
        gone = before.keys() - after.keys()
        return {name: text for name, text in {**kept, **changed}.items() if name not in gone}


KIND = Environment()
