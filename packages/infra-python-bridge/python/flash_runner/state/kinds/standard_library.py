"""Settings that functions of the standard library make, such as ``csv.field_size_limit`` and ``logging.addLevelName``."""

from __future__ import annotations

import sys
from typing import Any

from ..kind import Kind

# While the end of its import is told of, a module counts as not loaded; it is complete then.
_modules = sys.modules
_ABSENT = object()
_ATTRIBUTES = (
    ("tempfile", "tempdir"),
    ("urllib.request", "_opener"),
    ("logging", "_warnings_showwarning"),
)
_REGISTRIES = (
    ("copyreg", "dispatch_table"),
    ("logging", "_levelToName"),
    ("logging", "_nameToLevel"),
    ("shutil", "_ARCHIVE_FORMATS"),
    ("shutil", "_UNPACK_FORMATS"),
    ("sqlite3", "adapters"),
    ("sqlite3", "converters"),
    ("xml.etree.ElementTree", "_namespace_map"),
)


class StandardLibrary(Kind):
    """Of a module that is not imported yet there is nothing to put back.

    ``tempfile.tempdir``, ``install_opener``, ``captureWarnings``, ``addLevelName``, limit and dialects of ``csv``, types of
    ``mimetypes``, the first weekday of ``calendar``; what was registered with ``copyreg``, ``shutil``, ``sqlite3`` and
    ``ElementTree``.
    """

    title = "what functions of `tempfile`, `urllib`, `logging`, `csv`, `mimetypes`, `calendar`, `copyreg`, … have set"

    def read(self) -> tuple[Any, ...]:
        return (
            [getattr(_modules.get(name), attribute, _ABSENT) for name, attribute in _ATTRIBUTES],
            [_copy(getattr(_modules.get(name), registry, None)) for name, registry in _REGISTRIES],
            _csv(),
            _known_types(),
            getattr(getattr(_modules.get("calendar"), "c", None), "_firstweekday", None),
        )

    def write(self, value: tuple[Any, ...]) -> None:
        attributes, registries, tables, known_types, weekday = value
        for (name, attribute), kept in zip(_ATTRIBUTES, attributes, strict=True):
            if kept is not _ABSENT:
                setattr(_modules[name], attribute, kept)
        for (name, registry), kept in zip(_REGISTRIES, registries, strict=True):
            if kept is not None:
                _refill(getattr(_modules[name], registry), kept)
        if tables is not None:
            _put_csv(*tables)
        if _known_types() != known_types:
            # Read anew when a type is next asked for.
            module: Any = _modules["mimetypes"]
            module._db, module.inited = None, False
        if weekday is not None:
            _modules["calendar"].setfirstweekday(weekday)

    def restore(self, value: tuple[Any, ...]) -> None:
        if self.read() != value:
            self.write(value)

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        attributes, registries, *others = zip(kept, before, after, strict=True)
        return (
            [old if now is was else now for old, was, now in zip(*attributes, strict=True)],
            [_with_changes(*one) for one in zip(*registries, strict=True)],
            *[old if now == was else now for old, was, now in others],
        )


def _copy(registry: dict[Any, Any] | None) -> dict[Any, Any] | None:
    return None if registry is None else registry.copy()


def _with_changes(kept: dict[Any, Any] | None, before: dict[Any, Any] | None, after: dict[Any, Any] | None) -> Any:
    if kept is None or before is None or after is None:
        return after if kept is None else kept
    return {**kept, **{name: value for name, value in after.items() if before.get(name) is not value}}


def _refill(registry: dict[Any, Any], kept: dict[Any, Any]) -> None:
    if registry != kept:
        registry.clear()
        registry.update(kept)


def _csv() -> tuple[int, tuple[str, ...]] | None:
    module = _modules.get("_csv")
    return None if module is None else (module.field_size_limit(), tuple(module.list_dialects()))


def _put_csv(limit: int, dialects: tuple[str, ...]) -> None:
    module: Any = _modules.get("_csv")
    module.field_size_limit(limit)
    for name in module.list_dialects():
        if name not in dialects:
            module.unregister_dialect(name)


def _known_types() -> tuple[int, ...] | None:
    """How many there are: not read yet is as many as none were added."""
    module = _modules.get("mimetypes")
    known = getattr(module, "_db", None)
    return None if known is None else tuple([len(table) for table in (*known.types_map, *known.types_map_inv)])


KIND = StandardLibrary()
