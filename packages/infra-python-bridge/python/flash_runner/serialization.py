"""Arguments in, results out: base64 of cloudpickle, or plain JSON (contract, sections 1 and 2)."""

from __future__ import annotations

import binascii
import json
import pickle
from typing import Any

import cloudpickle

from .failures import RequestError

# cloudpickle and pickle write the same bytes for these; pickle is several times faster on them.
PLAIN = frozenset((int, str, float, bool, type(None), bytes))


def decode_arguments(
    positional: list[Any] | None, named: dict[str, Any] | None, serialization: str, field: str
) -> tuple[list[Any], dict[str, Any]]:
    """Decode one pair of argument fields; ``field`` is their common prefix, for error texts."""
    if serialization == "json":
        return positional or [], named or {}
    return (
        [_load(value, f"{field}args[{index}]") for index, value in enumerate(positional or [])],
        {name: _load(value, f"{field}kwargs[{name!r}]") for name, value in (named or {}).items()},
    )


def _load(text: str, where: str) -> Any:
    try:
        data = binascii.a2b_base64(text)
    except ValueError as error:
        raise RequestError(f"{where} is not base64: {error}") from None
    try:
        return pickle.loads(data)
    except Exception as error:
        raise RequestError(f"{where} could not be unpickled: {type(error).__name__}: {error}") from error


def encode_result(value: Any, serialization: str) -> bytes:
    """Encode what the user's code returned.

    Raises:
        RequestError: it can't be pickled, or is no JSON value when JSON was asked for.
    """
    if serialization == "json":
        return _encode_json(value)
    try:
        data = (pickle.dumps if type(value) in PLAIN else cloudpickle.dumps)(value, 5)
    except Exception as error:
        raise RequestError(
            f"the result of type {type(value).__name__} can't be pickled: {type(error).__name__}: {error}; "
            "return plain data instead"
        ) from None
    return binascii.b2a_base64(data, newline=False)


def _encode_json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"the result of type {type(value).__name__} is not JSON: {error}") from None
