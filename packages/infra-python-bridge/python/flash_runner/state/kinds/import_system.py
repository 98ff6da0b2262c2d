"""Where modules are looked for, and by what."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from ..kind import Kind, identical, merged

_path, _finders, _hooks, _modules = sys.path, sys.meta_path, sys.path_hooks, sys.modules


class _Places(NamedTuple):
    path: tuple[str, ...]
    finders: tuple[Any, ...]
    hooks: tuple[Any, ...]


class ImportSystem(Kind):
    """The lists themselves are put back too, when a request has replaced one of them."""

    title = "`sys.path`, `sys.meta_path`, `sys.path_hooks`"

    def read(self) -> _Places:
        if sys.path is not _path or sys.meta_path is not _finders or sys.path_hooks is not _hooks:
            values = tuple(sys.path), tuple(sys.meta_path), tuple(sys.path_hooks)
            sys.path, sys.meta_path, sys.path_hooks = _path, _finders, _hooks
            self.write(_Places(*values))
        return _Places(tuple(_path), tuple(_finders), tuple(_hooks))

    def write(self, value: _Places) -> None:
        _path[:], _finders[:], _hooks[:] = value
        sys.modules = _modules

    def same(self, one: _Places, other: _Places) -> bool:
        return one.path == other.path and identical(one.finders, other.finders) and identical(one.hooks, other.hooks)

    def restore(self, value: _Places) -> None:
        if (
            sys.path is _path
            and sys.meta_path is _finders
            and sys.path_hooks is _hooks
            and identical(_path, value.path)
            and identical(_finders, value.finders)
            and identical(_hooks, value.hooks)
            and sys.modules is _modules
        ):
            return
        super().restore(value)

    def after_import(self, kept: _Places, before: _Places, after: _Places) -> _Places:
        if self.same(before, after):
            return kept
        came = [place for place in after.path if place not in before.path and place not in kept.path]
        path = (*(place for place in kept.path if place in after.path or place not in before.path), *came)
        return _Places(
            path, merged(kept.finders, before.finders, after.finders), merged(kept.hooks, before.hooks, after.hooks)
        )


KIND = ImportSystem()
