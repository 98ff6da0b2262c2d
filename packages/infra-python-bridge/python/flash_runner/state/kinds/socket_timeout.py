"""How long new sockets wait."""

from __future__ import annotations

import _socket

from ..kind import Kind

_get, _set = _socket.getdefaulttimeout, _socket.setdefaulttimeout


class SocketTimeout(Kind):
    title = "default time-out of sockets"

    def read(self) -> float | None:
        return _get()

    def write(self, value: float | None) -> None:
        _set(value)


KIND = SocketTimeout()
