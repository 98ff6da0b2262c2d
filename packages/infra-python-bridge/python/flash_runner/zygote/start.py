"""How a zygote starts: it imports what runners need until the supervisor asks for the first one, and forks it at once.

Its supervisor talks to it over descriptor 3. Nothing that takes long to import is imported here.
"""

from __future__ import annotations

import os
import select
import sys

from ..imports.preload import Preload
from .commands import Fork, Start, parse
from .fork_runner import fork_runner, wait_for_quiet

CONTROL_FD = 3


def main() -> None:
    """Entry point: ``python -c "…"``, with the supervisor on descriptor 3, whose first line is ``start``."""
    # Other descriptors that the supervisor was started with are not for user code.
    os.closerange(CONTROL_FD + 1, 65536)
    os.set_inheritable(CONTROL_FD, False)
    supervisor = os.getppid()
    preload = Preload()
    missing = ""
    try:
        # The zygote may have been started ahead, before the supervisor knows its settings and says what it is for.
        preload.continue_until(_is_asked)
        preload.check()
    except ImportError as error:
        missing = str(error)
    start, pending = _read_start()
    first = None
    if start.lean and not missing:
        first, pending = _fork_first(start, pending)
        wait_for_quiet(CONTROL_FD)
    from .zygote import Zygote, fail

    if missing:
        fail(CONTROL_FD, reason=missing)
    zygote = Zygote(start, CONTROL_FD, pending, preload)
    zygote.serve(first)
    if os.getppid() != supervisor:
        zygote.remove_directory()


def _is_asked() -> bool:
    return bool(select.select([CONTROL_FD], [], [], 0)[0])


def _read_start() -> tuple[Start, bytes]:
    """Wait for the supervisor's first line, which says what the zygote is for. Return it, and what came after it."""
    data = b""
    while b"\n" not in data:
        piece = os.read(CONTROL_FD, 65536)
        if not piece:
            sys.exit(0)
        data += piece
    line, _, rest = data.partition(b"\n")
    return Start(parse(line)[1]), rest


def _fork_first(start: Start, pending: bytes) -> tuple[tuple[int, int] | None, bytes]:
    """Fork the runner that was asked for together with the start.

    Return its number and process id, and what else there is to do.
    """
    line, end, rest = pending.partition(b"\n")
    name, words = parse(line)
    if not end or name != "fork":
        return None, pending
    fork = Fork(words)
    try:
        return (fork.runner, fork_runner(fork.config(start), lambda: os.close(CONTROL_FD))), rest
    except OSError:
        # The zygote tries again in its loop, and reports why it can't be done.
        return None, pending
