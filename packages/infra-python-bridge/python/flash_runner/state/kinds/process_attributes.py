"""What the kernel and the C library keep for a process, and programs set by way of C (Linux)."""

from __future__ import annotations

from typing import Any

from ...system.process_control import process_attributes, set_process_attributes
from ..kind import Irreversible, Kind


class ProcessAttributes(Kind):
    title = "`prctl` (name, `dumpable`, timer slack, subreaper, else the runner ends), rounding of floats"

    def read(self) -> tuple[Any, ...]:
        return process_attributes()

    def write(self, value: tuple[Any, ...]) -> None:
        set_process_attributes(value)
        if self.read() != value:
            raise Irreversible("attributes of the process were changed that can't be put back (no_new_privs)")


KIND = ProcessAttributes()
