"""Progress of a running request, for user code::

    from flash_runner import progress

    progress.update({"done": 3, "of": 10})

The platform shows the newest one while the job is IN_PROGRESS. Outside of a worker, and after the request has ended, it does
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_Report = Callable[[bytes], None]
_report: _Report | None = None


def update(value: Any) -> None:
    """Report how far the running request is.

    Args:
        value: any JSON value; a newer one may replace one that was not shown yet.

    Raises:
        TypeError: ``value`` is no JSON value.
        ValueError: it holds a cycle, NaN or an infinity.
    """
    body = json.dumps(value, allow_nan=False).encode()
    if _report is not None:
        _report(body)


def connect(report: _Report) -> None:
    """Have updates go to ``report``; for the runner."""
    global _report
    _report = report
