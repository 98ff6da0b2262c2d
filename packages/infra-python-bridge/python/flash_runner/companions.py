"""Packages that come along for interpreters that lack them: an archive runs in any image that has Python."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_DIRECTORY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "companions")


@contextlib.contextmanager
def companions() -> Iterator[None]:
    """Have what is imported meanwhile found there too, after all that the interpreter has; hidden from user code."""
    if not os.path.isdir(_DIRECTORY):
        yield
        return
    sys.path.append(_DIRECTORY)
    try:
        yield
    finally:
        sys.path.remove(_DIRECTORY)
