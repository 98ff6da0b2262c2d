"""What numpy does about errors, and how it prints; by default as numpy is imported."""

from __future__ import annotations

from typing import Any

from ..kind import Kind, loaded


class NumpyOptions(Kind):
    title = "numpy: `seterr`, `seterrcall`, print options"

    def __init__(self) -> None:
        self._new: tuple[Any, ...] | None = None

    def read(self) -> tuple[Any, ...] | None:
        numpy = loaded("numpy")
        if numpy is None or not hasattr(numpy, "get_printoptions"):
            return None
        return numpy.geterr(), numpy.geterrcall(), numpy.get_printoptions()

    def restore(self, value: tuple[Any, ...] | None) -> None:
        if loaded("numpy") is not None and value is not None:
            super().restore(value)

    def write(self, value: tuple[Any, ...] | None) -> None:
        numpy = loaded("numpy")
        if numpy is None or value is None:
            return
        errors, call, options = value
        numpy.seterr(**errors)
        numpy.seterrcall(call)
        numpy.set_printoptions(**options)


KIND = NumpyOptions()
