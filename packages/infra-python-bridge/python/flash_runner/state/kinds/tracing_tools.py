"""Tools that watch a program run, and would slow down the next one: ``tracemalloc``, ``sys.monitoring``."""

from __future__ import annotations

import sys
from typing import Any

from ..kind import Kind, loaded

_monitoring: Any = getattr(sys, "monitoring", None)
# Python 3.12 and later have numbers for six of them.
_TOOLS = range(6)


class TracingTools(Kind):
    title = "`tracemalloc`, tools of `sys.monitoring`"

    def read(self) -> tuple[Any, ...]:
        memory = loaded("tracemalloc")
        is_tracing = memory is not None and memory.is_tracing()
        return is_tracing, () if _monitoring is None else tuple(map(_monitoring.get_tool, _TOOLS))

    def write(self, value: tuple[Any, ...]) -> None:
        memory = loaded("tracemalloc")
        if memory is not None and not value[0]:
            memory.stop()
        for tool, name in zip(_TOOLS, value[1], strict=False):
            if name is None and _monitoring.get_tool(tool) is not None:
                _monitoring.set_events(tool, 0)
                _monitoring.free_tool_id(tool)


KIND = TracingTools()
