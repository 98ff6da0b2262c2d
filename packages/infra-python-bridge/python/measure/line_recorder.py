"""Notes which lines of flash_runner run, in a file that all processes of a measurement share.

Imported when an interpreter starts, by a ``.pth`` file of the measurement's own environment. What is noted is there at
once: most of the processes are killed, which coverage.py's own recorders do not survive. Python 3.12 or newer.
"""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path
from types import CodeType

HERE = Path(__file__).parent
LAYOUT, MAP = "layout", "map"


def offsets(directory: Path) -> dict[str, int]:
    """Where in the map the first line of each file is, by the file's path from flash_runner on."""
    lines = (directory / LAYOUT).read_text().splitlines()
    return {name: int(offset) for offset, name in (line.split(" ", 1) for line in lines)}


def record(directory: Path) -> None:
    """Notes lines from now on, in forks too."""
    known = offsets(directory)
    descriptor = os.open(directory / MAP, os.O_RDWR)
    # The file is not kept open: tests look at which descriptors are open, and close them.
    seen = mmap.mmap(descriptor, 0, trackfd=False) if sys.version_info >= (3, 13) else mmap.mmap(descriptor, 0)
    os.close(descriptor)
    monitoring = sys.monitoring
    tool, events = monitoring.COVERAGE_ID, monitoring.events

    def on_start(code: CodeType, _offset: int) -> object:
        _, found, name = code.co_filename.rpartition("/flash_runner/")
        if found and name in known:
            monitoring.set_local_events(tool, code, events.LINE)
        return monitoring.DISABLE

    def on_line(code: CodeType, line: int) -> object:
        seen[known[code.co_filename.rpartition("/flash_runner/")[2]] + line] = 1
        return monitoring.DISABLE

    monitoring.use_tool_id(tool, "flash lines")
    monitoring.register_callback(tool, events.PY_START, on_start)
    monitoring.register_callback(tool, events.LINE, on_line)
    monitoring.set_events(tool, events.PY_START)


if (HERE / MAP).exists():
    record(HERE)
