"""The locale of the C library."""

from __future__ import annotations

import _locale

from ..kind import Kind

_set = _locale.setlocale


class LocaleSettings(Kind):
    title = "locale"

    def read(self) -> str:
        return str(_set(_locale.LC_ALL, None))

    def write(self, value: str) -> None:
        _set(_locale.LC_ALL, value)


KIND = LocaleSettings()
