"""Error texts for the author of user code."""

from __future__ import annotations

import os
import traceback
from types import TracebackType

_OWN_DIRECTORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

_LIBRARY = os.path.dirname(os.__file__)
# Frames that may be between the worker's own and the user's first one: of the event loop, and of an import.
_BETWEEN = (
    _OWN_DIRECTORY,
    os.path.join(_LIBRARY, "asyncio") + os.sep,
    os.path.join(_LIBRARY, "importlib") + os.sep,
    "<frozen importlib",
)

_MISSING = "_flash_missing_module"
_MOST_CHARACTERS = 256 * 1024


class RequestError(Exception):
    """The request can't be run as it is: a missing name, a broken argument. Has no traceback worth showing."""


def describe(error: BaseException) -> str:
    """``str(error)``, a newline, the traceback with frames of user code only
    (docs/reference/protocol.md, FunctionResponse). Never empty."""
    return _cut(_full_text(error))


def details(error: BaseException) -> dict[str, str]:
    """The parts of :func:`describe`, for the report on a handler (docs/reference/protocol.md, Error reports).

    ``missing`` is the top-level module that loading the handler wanted and did not find.
    """
    missing = getattr(error, _MISSING, None)
    trace = "" if isinstance(error, RequestError) else _user_traceback(error)
    found = {"type": str(type(error)), "message": _cut(_message(error)), "traceback": _cut(trace)}
    return found if missing is None else {**found, "missing": missing}


def note_missing_module(error: ModuleNotFoundError) -> None:
    """Have :func:`details` name the module that was not found."""
    name = (error.name or "").partition(".")[0]
    if name:
        setattr(error, _MISSING, name)


def _cut(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters cut …]\n{text[-half:]}"


def _full_text(error: BaseException) -> str:
    if isinstance(error, RequestError):
        return str(error)
    return f"{_message(error)}\n{_user_traceback(error)}"


def _message(error: BaseException) -> str:
    try:
        if isinstance(error, SystemExit):
            return f"the code called sys.exit({error.code!r})"
        # An exception without a text is told by its type.
        return str(error) or type(error).__name__
    except BaseException:  # user code makes the text, and may call sys.exit here as well
        return f"<{type(error).__name__}: its text could not be made>"


def _user_traceback(error: BaseException) -> str:
    try:
        summary = traceback.TracebackException(type(error), error, _skip_own(error.__traceback__), compact=True)
        _hide_own_frames(summary, set())
        return "".join(summary.format())
    except BaseException as failure:
        return f"{type(error).__name__} (its traceback could not be made: {type(failure).__name__})"


def _skip_own(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame of user code on, without the worker's own frames before it."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_BETWEEN):
        trace = trace.tb_next
    return trace


def _hide_own_frames(summary: traceback.TracebackException, seen: set[int]) -> None:
    if id(summary) in seen:
        return
    seen.add(id(summary))
    summary.stack = traceback.StackSummary.from_list(
        [frame for frame in summary.stack if not frame.filename.startswith(_OWN_DIRECTORY)]
    )
    nested = [summary.__cause__, summary.__context__, *(getattr(summary, "exceptions", None) or [])]
    for other in nested:
        if other is not None:
            _hide_own_frames(other, seen)
