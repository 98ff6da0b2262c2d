"""Ending a request from outside: the supervisor writes to the control connection, the kernel signals the main thread.

No thread listens for it, so that user code may fork without warnings; the signal interrupts blocking system calls such as
``time.sleep``, which an exception set from another thread would not.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .header import decode

if TYPE_CHECKING:
    # For types only; event_loop.py says why asyncio is imported late.
    import asyncio

if sys.platform == "linux":
    _SIGNAL = signal.SIGRTMIN + 7
else:
    _SIGNAL = signal.SIGIO

_F_SETOWN_EX = 15
_F_OWNER_TID = 0


class RequestCancelled(BaseException):
    """Raised in the main thread of a runner when its request was cancelled or took too long."""


class Cancellation:
    """Listens on the control connection and interrupts the request it names, and only that one."""

    def __init__(self, control: int) -> None:
        """``control``: descriptor of the connection."""
        self._control = _socket.socket(fileno=control)
        self._pending = b""
        self._interrupts: dict[int, Callable[[bool], None]] = {}
        self._early: set[int] = set()
        self._held = 0
        self._postponed: list[dict[str, Any]] = []

    def listen(self) -> None:
        """Have the kernel signal this thread whenever the supervisor writes to the control connection."""
        signal.signal(_SIGNAL, self._on_signal)
        fd = self._control.fileno()
        if sys.platform == "linux":
            fcntl.fcntl(fd, fcntl.F_SETSIG, _SIGNAL)
            fcntl.fcntl(fd, _F_SETOWN_EX, struct.pack("ii", _F_OWNER_TID, threading.get_native_id()))
        else:
            fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
        # What the supervisor wrote before this process listened has raised no signal.
        self._on_signal(0, None)

    def begin(self, request: int, interrupt: Callable[[bool], None]) -> None:
        """From here on a cancel of ``request`` calls ``interrupt(again)`` in the main thread.

        A cancel may overtake the request itself, which then is interrupted here and now.
        """
        self._interrupts[request] = interrupt
        if self._early:
            overtaken = request in self._early
            self._early = {later for later in self._early if later > request}
            if overtaken:
                interrupt(False)

    def replace(self, request: int, interrupt: Callable[[bool], None]) -> None:
        """Have a cancel of ``request`` call another function from here on, unless the request has ended."""
        if request in self._interrupts:
            self._interrupts[request] = interrupt

    def end(self, request: int) -> None:
        """From here on ``request`` is not interrupted any more."""
        self._interrupts.pop(request, None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let interrupts wait while the main thread does what must not be torn, such as sending half a frame."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._held == 0 and self._postponed:
            messages, self._postponed = self._postponed, []
            self._deliver(messages)

    def _on_signal(self, _number: int, _frame: Any) -> None:
        messages = self._messages()
        if self._held:
            self._postponed += messages
        else:
            self._deliver(messages)

    def _deliver(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            interrupt = self._interrupts.get(message["cancel"])
            if interrupt is not None:
                interrupt(bool(message.get("again")))
            else:
                self._early.add(message["cancel"])

    def _messages(self) -> list[dict[str, Any]]:
        try:
            while data := self._control.recv(4096):
                self._pending += data
        except OSError:
            pass
        *lines, self._pending = self._pending.split(b"\n")
        return [decode(line.decode()) for line in lines]


def raise_cancelled(_again: bool) -> None:
    """Interrupt synchronous code: the exception surfaces wherever the main thread is."""
    raise RequestCancelled("the request was cancelled")


def interrupt_task(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> Callable[[bool], None]:
    """How to interrupt asynchronous code: cancel its task; when that was not enough and it blocks the loop, raise in it."""

    import asyncio

    def interrupt(again: bool) -> None:
        if again and asyncio.current_task(loop) is task:
            raise RequestCancelled("the request was cancelled")
        loop.call_soon_threadsafe(task.cancel)

    return interrupt
