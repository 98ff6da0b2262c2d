"""The outcome of one request, as the runner sends it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..protocol import frames
from .failures import RequestError, describe, details
from .serialization import encode_result


class Outcome(NamedTuple):
    """The contents of a result frame."""

    flags: int
    body: bytes = b""
    error: str | None = None
    # Set for handlers alone: what a handler said beside its output, or the parts of its exception.
    extra: dict[str, Any] | None = None


def success(value: Any, serialization: str, max_bytes: int) -> Outcome:
    """The outcome of code that returned ``value``.

    Raises:
        RequestError: it can't be encoded, or its encoding is longer than ``max_bytes``.
    """
    encoded = encode_result(value, serialization)
    if encoded.size > max_bytes:
        raise RequestError(
            f"the encoded result has {encoded.size} bytes and the bound is {max_bytes}: "
            "return less, or raise FLASH_MAX_RESPONSE_BYTES"
        )
    flags = frames.FLAG_SUCCESS
    if serialization == "json":
        flags |= frames.FLAG_JSON
    elif encoded.is_raw:
        flags |= frames.FLAG_RAW
    return Outcome(flags, encoded.body)


def failure(error: BaseException, header: dict[str, Any]) -> Outcome:
    """The outcome of code that raised ``error``."""
    extra = {"failure": details(error)} if "handler" in header else None
    return Outcome(0, error=describe(error) or type(error).__name__, extra=extra)
