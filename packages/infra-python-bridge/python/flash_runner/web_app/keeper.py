"""The keeper: parent of one app process. It ends when it has ended every process that the app left behind.

It runs no user code. Signals that ask it to end go to the app; when the supervisor is gone everything ends at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
from typing import Any

from ..system import process_control
from ..system.exits import exit_fields
from .config import AppConfig
from .control import Control

CONTROL_FD = 3
_HIGH_FD = 500


def main() -> None:
    """Entry point: ``python -c "…" CONFIG``, with the supervisor on descriptor 3."""
    os.closerange(CONTROL_FD + 1, 65536)
    connection = _out_of_the_way(CONTROL_FD)
    config = AppConfig.parse(sys.argv[1])
    sys.argv[1:] = []
    version = sys.version.split()[0]
    if config.required_version is not None and not version.startswith(f"{config.required_version}."):
        reason = f"FLASH_PYTHON_VERSION is {config.required_version}, but {sys.executable} is Python {version}"
        Control(connection).say("failed", reason=f"{reason}: use the image made for this version", missing=None, final=True)
        return
    process_control.adopt_orphans()
    keeper = os.getpid()
    wakeup, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    app = os.fork()
    if app == 0:
        os.close(wakeup)
        os.close(wakeup_write)
        from .main import main as serve

        serve(config, connection, keeper)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _signal(app, signal.SIGTERM))
    # The supervisor sends SIGUSR1 to have the app ended at once; the keeper lives on to end what the app leaves behind.
    signal.signal(signal.SIGUSR1, lambda *_: _signal(app, signal.SIGKILL))
    state = _wait(app, connection, wakeup)
    _end_all()
    with contextlib.suppress(OSError):
        Control(connection).say("exited", **exit_fields(state))


def _out_of_the_way(descriptor: int) -> socket.socket:
    """The connection on a high descriptor: code that closes or writes to low ones by number does not meet it."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
    os.close(descriptor)
    return socket.socket(fileno=high)


def _wait(app: int, connection: socket.socket, wakeup: int) -> Any:
    """Wait until the app has ended and return how. Orphans that end meanwhile are waited for, too."""
    waiting = select.poll()
    waiting.register(wakeup, select.POLLIN)
    # The keeper asks for no event: poll reports a hang-up all the same, and the app's commands stay the app's to read.
    waiting.register(connection.fileno(), 0)
    while True:
        for descriptor, _ in waiting.poll():
            if descriptor == wakeup:
                os.read(wakeup, 4096)
            else:
                _signal(app, signal.SIGKILL)
                waiting.unregister(descriptor)
        while True:
            try:
                state = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
            except ChildProcessError:
                state = None
            if state is None:
                break
            if state.si_pid == app:
                return state


def _end_all() -> None:
    """End every process the app left behind; it was handed to this one by the kernel."""
    while True:
        for pid in process_control.children():
            _signal(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
