"""A runner's first steps: it tells the supervisor that it is there, and only then loads what the zygote had not loaded yet.

Nothing that takes long to import is imported here.
"""

from __future__ import annotations

import gc
import os
import select
import sys

from ..protocol.connection import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from ..runner.config import RunnerConfig

_CRASH_STATUS = 70
_QUIET_SECONDS = 0.1


def fork_runner(config: RunnerConfig, let_go: Callable[[], None]) -> int:
    """Fork a runner, which first lets go of what is the zygote's.

    Return its process id. Raises ``OSError`` when there can't be one.
    """
    zygote = os.getpid()
    os.mkfifo(config.pipe(0), 0o600)
    try:
        pid = os.fork()
    except OSError:
        # A pipe that is left would be reason enough for the next attempt to fail.
        os.unlink(config.pipe(0))
        raise
    if pid == 0:
        try:
            let_go()
            _run(config, zygote)
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


def _run(config: RunnerConfig, zygote: int) -> NoReturn:
    os.setsid()
    data = connect(config.socket, config.runner, "data")
    control = connect(config.socket, config.runner, "control")
    if "flash_runner.runner.main" not in sys.modules:
        wait_for_quiet(data)
    from ..imports.bundled_packages import bundled_packages

    with bundled_packages():
        from ..runner import main
    # Without this every full collection would look through all that was imported, for 5 ms.
    gc.freeze()
    main.main(config, data, control, zygote)
