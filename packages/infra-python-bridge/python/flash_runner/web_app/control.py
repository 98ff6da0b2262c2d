"""The app process's side of its talk with the supervisor: JSON lines, both ways."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from typing import Any


class Control:
    """Says how far the app is, and hears what to do."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pending = b""
        self._pid = os.getpid()

    def say(self, event: str, **fields: Any) -> None:
        """Report; a child that the app forked says nothing."""
        if os.getpid() != self._pid:
            return
        self._connection.sendall(json.dumps({"event": event, **fields}).encode() + b"\n")

    def listen(self, on_command: Callable[[dict[str, Any]], None]) -> None:
        """Hand commands over as they come, on the running loop."""
        asyncio.get_running_loop().add_reader(self._connection.fileno(), self._read, on_command)

    def _read(self, on_command: Callable[[dict[str, Any]], None]) -> None:
        try:
            data = self._connection.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            # The supervisor is gone; the keeper ends this process.
            asyncio.get_running_loop().remove_reader(self._connection.fileno())
            return
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            on_command(json.loads(line))
