"""How a child process ended, in the supervisor's terms."""

from __future__ import annotations

import os
import signal
from typing import Any


def exit_fields(state: Any) -> dict[str, Any]:
    """``code`` and ``signal`` of a ``waitid`` result; one of them is ``None``."""
    exited = state.si_code == os.CLD_EXITED
    return {
        "code": state.si_status if exited else None,
        "signal": None if exited else _signal_name(state.si_status),
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
