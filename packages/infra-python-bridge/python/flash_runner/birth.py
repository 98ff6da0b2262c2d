"""A runner's first steps: it tells the supervisor that it is there, and only then loads what the zygote had not loaded yet.

Nothing that takes long to import is imported here.
"""

from __future__ import annotations

import gc
import os
import select

from .connection import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from .commands import Fork, Start

_CRASH_STATUS = 70
_QUIET_SECONDS = 0.1


class Place:
    """What a new runner is told."""

    __slots__ = ("directory", "marker", "max_response_bytes", "records_imports", "runner", "whole_mark")

    def __init__(self, start: Start, fork: Fork) -> None:
        self.directory = start.directory
        self.records_imports = start.records_imports
        self.whole_mark = start.whole_mark
        self.runner = fork.runner
        self.marker = fork.marker
        self.max_response_bytes = fork.max_response_bytes

    @property
    def socket(self) -> str:
        return os.path.join(self.directory, "supervisor.sock")

    def pipe(self, number: int) -> str:
        """The path of the runner's output pipe; later ones replace a pipe that a child still holds."""
        return os.path.join(self.directory, f"{self.runner}.{number}.out")


def bear(place: Place, let_go: Callable[[], None]) -> int:
    """Fork a runner, which first lets go of what is the zygote's.

    Return its process id. Raises ``OSError`` when there can't be one.
    """
    zygote = os.getpid()
    os.mkfifo(place.pipe(0), 0o600)
    try:
        pid = os.fork()
    except OSError:
        # Or the next attempt would fail for that alone.
        os.unlink(place.pipe(0))
        raise
    if pid == 0:
        try:
            let_go()
            _live(place, zygote)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(_CRASH_STATUS)
    return pid


def wait_for_quiet(connection: int) -> None:
    """Wait until there is something to do, or the supervisor has probably started.

    What is imported next takes long, and the supervisor needs the processors for its own start. A request that comes
    meanwhile ends the wait.
    """
    select.select([connection], [], [], _QUIET_SECONDS)


def _live(place: Place, zygote: int) -> NoReturn:
    os.setsid()
    data = connect(place.socket, place.runner, "data")
    control = connect(place.socket, place.runner, "control")
    wait_for_quiet(data)
    from .companions import companions

    with companions():
        from . import runner
    # Or every full collection would look through all that was imported, for 5 ms.
    gc.freeze()
    runner.main(place, data, control, zygote)
