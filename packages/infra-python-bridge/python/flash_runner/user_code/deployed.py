"""Code of a deployed app, loaded as modules (docs/reference/protocol.md, Modes)."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType

from .failures import RequestError


def load_file(file: str) -> ModuleType:
    """Execute ``file`` as a module named after it; its directory becomes the first on the search path.

    A file that fails leaves no module behind, so that it can be loaded again.

    Raises:
        RequestError: there is no such file, or it is no Python file.
    """
    directory, filename = os.path.split(file)
    if sys.path[:1] != [directory]:
        sys.path.insert(0, directory)
    name = os.path.splitext(filename)[0]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RequestError(f"{filename} is no Python file")
    if not os.path.isfile(file):
        raise RequestError(f"there is no {filename} in {directory}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def import_from(directory: str, module: str) -> ModuleType:
    """Import ``module`` once, as any module is; ``directory`` becomes the first on the search path unless it is on it."""
    if directory not in sys.path:
        sys.path.insert(0, directory)
    return importlib.import_module(module)
