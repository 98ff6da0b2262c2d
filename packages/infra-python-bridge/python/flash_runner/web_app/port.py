"""The port of the app, shared with the supervisor, which holds it from start to end.

Both listen on it. While the app's processes do, the kernel hands each new connection to one of them; when none is left it
falls back to the supervisor, at once and by itself. So one of them answers at any time, and neither hands the port over.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
import struct
import sys
import time

_SO_ATTACH_REUSEPORT_CBPF = 51
# Classic BPF, as the kernel's <linux/filter.h> has it.
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_MODULO = 0x94  # BPF_ALU | BPF_MOD | BPF_K
_ADD = 0x04  # BPF_ALU | BPF_ADD | BPF_K
_RETURN = 0x16  # BPF_RET | BPF_A
_RANDOM = -0x1000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM
# A process that held the port before may be about to let go.
_BIND_S = 5.0


class Port:
    """A listening socket in the making."""

    def __init__(self, *, ipv6: bool) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ipv6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)

    async def bind(self, host: str, port: int, *, share: bool, wait_s: float = _BIND_S) -> None:
        """Bind; ``share``: other sockets may listen there too. Waits up to ``wait_s`` seconds for a port that is taken.

        Raises:
            OSError: the port is not to be had.
        """
        if share:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                self.socket.bind((host, port))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.005)

    def steer(self, processes: int) -> bool:
        """Have the kernel give new connections to the app's ``processes`` sockets and to none else; whether it can.

        The supervisor's socket was the first to listen and has number 0 among them; the app's follow. A number that no
        socket has makes the kernel choose among all.
        """
        if sys.platform != "linux":
            return False
        instructions = [(_LOAD_WORD, _RANDOM), (_MODULO, processes), (_ADD, 1), (_RETURN, 0)]
        code = b"".join(struct.pack("HBBI", operation, 0, 0, value & 0xFFFFFFFF) for operation, value in instructions)
        program = ctypes.create_string_buffer(code, len(code))
        pointer = struct.pack("HP", len(instructions), ctypes.addressof(program))
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, pointer)
        except OSError:
            return False
        return True
