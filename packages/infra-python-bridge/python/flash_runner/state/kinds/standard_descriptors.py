"""Flags of the descriptors 0, 1 and 2: whether they block, and whether child processes get them."""

from __future__ import annotations

import fcntl
from typing import Any

from ..kind import Kind

_fcntl = fcntl.fcntl
_STATUS, _FLAGS, _SET_STATUS, _SET_FLAGS = fcntl.F_GETFL, fcntl.F_GETFD, fcntl.F_SETFL, fcntl.F_SETFD
_NUMBERS = (0, 1, 2)


class StandardDescriptors(Kind):
    """The runner's own output goes through the same pipe: one that does not block would lose some of it."""

    title = "flags of the descriptors 0, 1 and 2 (`os.set_blocking`, `os.set_inheritable`)"

    def read(self) -> Any:
        try:
            return [(_fcntl(number, _STATUS), _fcntl(number, _FLAGS)) for number in _NUMBERS]
        except OSError:
            # The output pipe is put back on them before the next request.
            return None

    def write(self, value: Any) -> None:
        for number, (status, flags) in zip(_NUMBERS, value or (), strict=False):
            _fcntl(number, _SET_STATUS, status)
            _fcntl(number, _SET_FLAGS, flags)


KIND = StandardDescriptors()
