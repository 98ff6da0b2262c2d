"""Environment variables, and the time zone that follows one of them."""

from __future__ import annotations

import os
import time
from typing import Any

from ...system import c_environment
from ..kind import Kind

_put, _unset, _set_time_zone = os.putenv, os.unsetenv, time.tzset
_environ = os.environ
_attributes = dict(vars(_environ))
_data: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]


class Environment(Kind):
    """``os.environ``, and the object itself."""

    title = "environment variables (`os.environ`, `os.putenv`), time zone"

    def __init__(self) -> None:
        c_environment.keep()

    def read(self) -> dict[bytes, bytes]:
        _mend()
        return _data.copy()

    def write(self, value: dict[bytes, bytes]) -> None:
        for name in [name for name in _data if name not in value]:
            _unset(name)
            del _data[name]
        for name, text in value.items():
            if _data.get(name) != text:
                _put(name, text)
                _data[name] = text
        if not c_environment.is_as_kept():
            c_environment.replace(_data)
            c_environment.keep()
        _set_time_zone()

    def restore(self, value: dict[bytes, bytes]) -> None:
        _mend()
        if _data != value or not c_environment.is_as_kept():
            self.write(value)

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        changed = {name: text for name, text in after.items() if before.get(name) != text}
        gone = before.keys() - after.keys()
        return {name: text for name, text in {**kept, **changed}.items() if name not in gone}


def _mend() -> None:
    """Have ``os.environ`` be the object that it was, with its own methods."""
    vars(os)["environ"] = _environ
    now = vars(_environ)
    if len(now) != len(_attributes) or not all([now.get(name) is value for name, value in _attributes.items()]):
        now.clear()
        now.update(_attributes)


KIND = Environment()
