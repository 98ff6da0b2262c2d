"""Which warnings are shown, and how; a warning that one request was shown is shown to the next as well."""

from __future__ import annotations

import warnings
from typing import Any

from ..kind import Kind, merged

_filters: Any = warnings.filters
_once: dict[Any, Any] = warnings.onceregistry  # type: ignore[attr-defined]
# Has every module forget which of its warnings were shown. Python 3.14 wants its lock held.
_forget_shown = getattr(warnings, "_filters_mutated_lock_held", None) or warnings._filters_mutated  # type: ignore[attr-defined]
_lock = getattr(warnings, "_lock", None)


class WarningsShown(Kind):
    title = "`warnings`: filters, `showwarning`, `formatwarning`, what was shown once"

    def read(self) -> tuple[Any, ...]:
        return warnings.showwarning, warnings.formatwarning, tuple(_filters)

    def write(self, value: tuple[Any, ...]) -> None:
        warnings.showwarning, warnings.formatwarning, filters = value
        _filters[:] = filters

    def restore(self, value: tuple[Any, ...]) -> None:
        if warnings.filters is not _filters:
            warnings.filters = _filters
        super().restore(value)
        _once.clear()
        if _lock is None:
            _forget_shown()
        else:
            with _lock:
                _forget_shown()

    def after_import(self, kept: Any, before: Any, after: Any) -> Any:
        if before == after:
            return kept
        show = after[0] if kept[0] is before[0] else kept[0]
        form = after[1] if kept[1] is before[1] else kept[1]
        return show, form, merged(kept[2], before[2], after[2])


KIND = WarningsShown()
