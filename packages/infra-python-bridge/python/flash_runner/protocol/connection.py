"""How a runner opens its connections to the supervisor.

Uses the C part of ``socket``: to import the rest takes as long as everything else that a runner does before it reports.
"""

from __future__ import annotations

import os
from _socket import AF_UNIX, SOCK_STREAM, socket

from ..system.descriptors import out_of_the_way

HELLO = 1


def connect(path: str, runner: int, channel: str, resumed: int | None = None) -> int:
    """Report to the supervisor; return the connection's descriptor, which is high and close-on-exec.

    ``resumed``: the request whose answer comes on this connection, as user code closed the one before it.
    """
    first = socket(AF_UNIX, SOCK_STREAM)
    try:
        first.connect(path)
        connection = out_of_the_way(first.fileno())
    finally:
        first.close()
    hello = _hello(runner, channel, resumed)
    while hello:
        hello = hello[os.write(connection, hello) :]
    return connection


def _hello(runner: int, channel: str, resumed: int | None) -> bytes:
    """The first frame of a connection (:mod:`flash_runner.protocol.frames`): which runner it is of, and what it is for."""
    more = "" if resumed is None else f', "resumed": {resumed}'
    header = f'{{"runner": {runner}, "channel": "{channel}", "pid": {os.getpid()}{more}}}'.encode()
    nothing = bytes(4)
    return bytes([HELLO, 0]) + nothing + len(header).to_bytes(4, "big") + nothing + header
