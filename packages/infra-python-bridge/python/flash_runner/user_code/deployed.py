"""Code of the deployed app: modules of its directory, imported once as any module is (docs/reference/protocol.md, Modes)."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def import_from(directory: str, module: str) -> ModuleType:
    """The module; ``directory`` becomes the first on the search path when it is not on it."""
    if directory not in sys.path:
        sys.path.insert(0, directory)
    return importlib.import_module(module)
