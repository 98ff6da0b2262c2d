"""Packages that come along for interpreters that lack them: an archive runs in any image that has Python."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_DIRECTORY = os.path.join(os.path.dirname(_PACKAGE), "bundled_packages")


@contextlib.contextmanager
def bundled_packages() -> Iterator[None]:
    """Have what is imported meanwhile found there too, after all that the interpreter has; hidden from user code."""
    if not os.path.isdir(_DIRECTORY):
        yield
        return
    sys.path.append(_DIRECTORY)
    try:
        yield
    finally:
        sys.path.remove(_DIRECTORY)
