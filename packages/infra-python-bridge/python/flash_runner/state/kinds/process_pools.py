"""How ``multiprocessing`` starts processes."""

from __future__ import annotations

import sys
from typing import Any

from ..kind import Kind, loaded


class ProcessPools(Kind):
    """A new process has chosen no start method yet."""

    title = "start method and executable of `multiprocessing`"

    def read(self) -> Any:
        contexts = loaded("multiprocessing.context")
        spawn = loaded("multiprocessing.spawn")
        method = None if contexts is None else contexts._default_context._actual_context
        return method, None if spawn is None else spawn.get_executable()

    def same(self, one: Any, other: Any) -> bool:
        # multiprocessing.spawn may have been imported since; it begins with the interpreter's executable.
        return one[0] is other[0] and (one[1] == other[1] or None in (one[1], other[1]))

    def write(self, value: Any) -> None:
        contexts = loaded("multiprocessing.context")
        spawn = loaded("multiprocessing.spawn")
        if contexts is not None:
            contexts._default_context._actual_context = value[0]
        if spawn is not None:
            executable = value[1] or sys.executable
            spawn.set_executable(executable)


KIND = ProcessPools()
