"""JSON of the small headers of frames, by functions that user code can't replace.

User code can replace ``json.dumps`` and the classes behind it, and its request must be answered all the same.
"""

from __future__ import annotations

import json
from typing import Any

try:
    from _json import encode_basestring_ascii as _text
except ImportError:  # no C accelerator
    from json.encoder import py_encode_basestring_ascii as _text

_type, _str, _dict, _bool, _float, _none, _join = type, str, dict, bool, float, type(None), ", ".join
# A method of an object in C.
_scan: Any = vars(json.JSONDecoder())["scan_once"]


def encode(value: Any) -> str:
    """JSON text of a value made of text, finite numbers, true, false, null, and objects of these."""
    kind = _type(value)
    if kind is _str:
        return _text(value)
    if kind is _bool:
        return "true" if value else "false"
    if kind is _none:
        return "null"
    if kind is _float:
        return f"{value!r}"
    if kind is _dict:
        return "{" + _join([f"{_text(name)}: {encode(item)}" for name, item in value.items()]) + "}"
    return f"{value:d}"


def decode(text: str) -> Any:
    """The value of JSON text, which the supervisor has written or checked."""
    return _scan(text.lstrip(" \t\r\n"), 0)[0]
