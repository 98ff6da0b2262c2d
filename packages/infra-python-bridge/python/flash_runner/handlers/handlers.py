"""Handlers of deployed apps: files that define ``handler(job)``, plain JSON in and plain JSON out
(docs/reference/protocol.md, Modes)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from ..user_code.deployed import load_file
from ..user_code.failures import RequestError


class Answer(NamedTuple):
    """What a handler's return value means: some keys of a dict speak to the queue and are not output."""

    output: Any
    error: str | None = None
    refresh_worker: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the handler returned no output besides these keys."""
        return bool(self.output == {})


class Handlers:
    """Loads each handler file once."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Any], Any]] = {}

    def is_loaded(self, file: str) -> bool:
        """Whether the file's handler is loaded."""
        return file in self._handlers

    def get(self, file: str) -> Callable[[Any], Any]:
        """The handler of ``file``; its directory becomes the first on the search path.

        Raises:
            RequestError: the file defines no ``handler``.
        """
        handler = self._handlers.get(file)
        if handler is None:
            handler = _load(file)
            self._handlers[file] = handler
        return handler


def _load(file: str) -> Callable[[Any], Any]:
    module = load_file(file)
    handler = getattr(module, "handler", None)
    if not callable(handler):
        sys.modules.pop(module.__name__, None)
        raise RequestError(f"{os.path.basename(file)} defines no function 'handler'")
    return handler  # type: ignore[no-any-return]


def read_answer(value: Any) -> Answer:
    """Take what a handler returned apart: ``error`` and ``refresh_worker`` of a dict are lifted out."""
    if not isinstance(value, dict):
        return Answer(value)
    output = dict(value)
    error = output.pop("error", None)
    refresh = output.pop("refresh_worker", None)
    return Answer(output, error_text(error) if error else None, bool(refresh))


def chunk_error(value: Any) -> str | None:
    """The error that a chunk carries, if it does: it ends the stream."""
    error = value.get("error") if isinstance(value, dict) else None
    return error_text(error) if error else None


def error_text(error: Any) -> str:
    """Text for the platform, which ignores an error that is no text."""
    if isinstance(error, str):
        return error
    try:
        return json.dumps(error)
    except (TypeError, ValueError):
        return str(error)
