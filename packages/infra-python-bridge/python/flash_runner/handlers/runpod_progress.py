"""``runpod.serverless.progress_update`` of the platform's SDK, where it is installed, reports through the worker.

The SDK's own would post by itself, with the worker's key, which user code does not have.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .. import progress

MODULE = "runpod.serverless.modules.rp_progress"
"""The module whose function is replaced."""


def replace(module: ModuleType) -> None:
    """Replace the SDK's function, where it is defined and where it is found."""
    vars(module)["progress_update"] = progress_update
    package = sys.modules.get("runpod.serverless")
    if package is not None and hasattr(package, "progress_update"):
        vars(package)["progress_update"] = progress_update


def progress_update(job: Any, progress_value: Any = None, **named: Any) -> None:
    """Report how far the running job is; ``job`` is the one the handler was given."""
    progress.update(named.get("progress", progress_value))
