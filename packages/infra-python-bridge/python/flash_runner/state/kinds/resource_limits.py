"""Resource limits of the process."""

from __future__ import annotations

import resource
from typing import Any

from ..kind import Irreversible, Kind

_get, _set = resource.getrlimit, resource.setrlimit
_NUMBERS = {getattr(resource, name): name for name in dir(resource) if name.startswith("RLIMIT_")}
_LIMITS = tuple(_NUMBERS)


class ResourceLimits(Kind):
    """A limit that was lowered for good can only be raised by root."""

    title = "resource limits (where the system lets them be raised again)"

    def read(self) -> list[Any]:
        return list(map(_get, _LIMITS))

    def write(self, value: list[Any]) -> None:
        for limit, kept in zip(_LIMITS, value, strict=True):
            if _get(limit) == kept:
                continue
            try:
                _set(limit, kept)
            except (OSError, ValueError):
                raise Irreversible(f"the limit {_NUMBERS[limit]} was lowered") from None


KIND = ResourceLimits()
