"""Which modules belong to the interpreter and its packages, and which to the user."""

from __future__ import annotations

import os
from importlib.machinery import ModuleSpec
from typing import Any

_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_PACKAGES = ("site-packages", "dist-packages")


def is_library(spec: ModuleSpec | None) -> bool:
    """Whether a module belongs to the interpreter or to an installed package, and not to the user's own code."""
    if spec is None:
        return False
    if spec.origin is not None and spec.origin not in ("namespace",):
        return _is_of_library(spec.origin)
    # A namespace package has no file, only directories.
    return any(_is_of_library(place) for place in list(spec.submodule_search_locations or ()))


def _is_of_library(place: Any) -> bool:
    if place in ("built-in", "frozen"):
        return True
    return isinstance(place, str) and (place.startswith(_STANDARD_LIBRARY) or any(name in place for name in _PACKAGES))
