"""Arguments in, results out: base64 of cloudpickle, or plain JSON
(docs/reference/protocol.md, FunctionRequest and FunctionResponse)."""

from __future__ import annotations

import binascii
import io
import json
import pickle
from typing import Any, NamedTuple, NoReturn

import cloudpickle

from .failures import RequestError

# cloudpickle and pickle write the same bytes for these; pickle is several times faster on them.
PLAIN = frozenset((int, str, float, bool, type(None), bytes))
# The supervisor encodes results of this size and more in base64, several times faster than Python.
_LARGE_RESULT = 64 * 1024


# Whether a pickle holds plain data alone is not asked of longer ones: it would have to be copied.
_MOST_PLAIN_BYTES = 4096


class Arguments:
    """The arguments of one request.

    Attributes:
        are_plain: whether they are numbers, texts, lists and the like, without code. Looked at only when it was set
            to ``True`` before they are decoded.
    """

    __slots__ = ("_blobs", "are_plain", "serialization")

    def __init__(self, serialization: str, blobs: list[memoryview]) -> None:
        """``blobs`` are the long arguments, which the supervisor has decoded: the request has their numbers instead."""
        self.serialization = serialization
        self.are_plain = False
        self._blobs = blobs

    def decode(
        self, positional: list[Any] | None, named: dict[str, Any] | None, field: str = ""
    ) -> tuple[list[Any], dict[str, Any]]:
        """Decode one pair of argument fields; ``field`` is their common prefix, for error texts."""
        if self.serialization == "json":
            return positional or [], named or {}
        return (
            [self._load(value, f"{field}args[{index}]") for index, value in enumerate(positional or [])],
            {name: self._load(value, f"{field}kwargs[{name!r}]") for name, value in (named or {}).items()},
        )

    def _load(self, value: str | int, where: str) -> Any:
        data = self._blobs[value] if isinstance(value, int) else _decode(value, where)
        if self.are_plain:
            if len(data) <= _MOST_PLAIN_BYTES:
                try:
                    return _PlainUnpickler(io.BytesIO(data)).load()
                except Exception:
                    # It holds more than plain data, or is none: what is wrong is said below.
                    pass
            self.are_plain = False
        return _load(data, where)


class _PlainUnpickler(pickle.Unpickler):
    """Reads plain data. All that can run code comes by the name of a function or a class."""

    def find_class(self, module: str, name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name} is no plain data")


def _decode(text: str, where: str) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except ValueError as error:
        raise RequestError(f"{where} is not base64: {error}") from None


def _load(data: bytes | memoryview, where: str) -> Any:
    try:
        return pickle.loads(data)
    except Exception as error:
        raise RequestError(f"{where} could not be unpickled: {type(error).__name__}: {error}") from error


class Encoded(NamedTuple):
    """An encoded result: JSON text, base64 of a pickle, or the pickle itself when it is large."""

    body: bytes
    is_raw: bool = False

    @property
    def size(self) -> int:
        """Length of the result as the client gets it."""
        return (len(self.body) + 2) // 3 * 4 if self.is_raw else len(self.body)


def encode_result(value: Any, serialization: str) -> Encoded:
    """Encode what the user's code returned.

    Raises:
        RequestError: it can't be pickled, or is no JSON value when JSON was asked for.
    """
    if serialization == "json":
        return Encoded(encode_json(value))
    try:
        data = (pickle.dumps if type(value) in PLAIN else cloudpickle.dumps)(value, 5)
    except Exception as error:
        raise RequestError(
            f"the result of type {type(value).__name__} can't be pickled: {type(error).__name__}: {error}; "
            "return plain data instead"
        ) from None
    if len(data) >= _LARGE_RESULT:
        return Encoded(data, is_raw=True)
    return Encoded(binascii.b2a_base64(data, newline=False))


def encode_json(value: Any) -> bytes:
    """JSON text of what the user's code returned.

    Raises:
        RequestError: it is no JSON value.
    """
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"the result of type {type(value).__name__} is not JSON: {error}") from None
