"""How the system schedules the process: niceness, processors, policy."""

from __future__ import annotations

import os
from typing import Any

from ..kind import Irreversible, Kind

_get_priority, _set_priority = os.getpriority, os.setpriority
_get_processors: Any = getattr(os, "sched_getaffinity", lambda _pid: frozenset())
_set_processors: Any = getattr(os, "sched_setaffinity", lambda _pid, _processors: None)
_get_policy: Any = getattr(os, "sched_getscheduler", lambda _pid: 0)
_set_policy: Any = getattr(os, "sched_setscheduler", lambda _pid, _policy, _parameter: None)


class Scheduling(Kind):
    title = "niceness, processors, scheduling policy"

    def read(self) -> tuple[Any, ...]:
        return _get_priority(os.PRIO_PROCESS, 0), _get_policy(0), _get_processors(0)

    def write(self, value: tuple[Any, ...]) -> None:
        priority, policy, processors = value
        try:
            if _get_policy(0) != policy:
                _set_policy(0, policy, os.sched_param(0))
            if _get_processors(0) != processors:
                _set_processors(0, processors)
            if _get_priority(os.PRIO_PROCESS, 0) != priority:
                _set_priority(os.PRIO_PROCESS, 0, priority)
        except OSError as error:
            raise Irreversible(f"niceness, processors or scheduling policy were changed ({error})") from None


KIND = Scheduling()
