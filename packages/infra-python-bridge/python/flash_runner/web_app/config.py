"""What the supervisor tells a new app process."""

from __future__ import annotations

import json
from typing import NamedTuple


class AppConfig(NamedTuple):
    """Which app to serve, and how."""

    file: str
    """Absolute path of the Python file that defines the app."""
    variable: str
    """Name of the app in it."""
    required_version: str | None
    """MAJOR.MINOR that this interpreter must be."""
    endpoint_id: str
    """Part of the worker's answer to ``/ping``, which it gives when the app has no such route."""
    keep_alive_s: int
    drain_s: int
    """Seconds that requests in flight have after SIGTERM."""
    log_level: str
    access_log: bool

    @classmethod
    def parse(cls, text: str) -> AppConfig:
        return cls(**json.loads(text))
