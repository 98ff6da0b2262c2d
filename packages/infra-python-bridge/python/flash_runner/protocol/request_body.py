"""What a request's frame carries beside its header."""

from __future__ import annotations

from typing import Any

from .frames import Request
from .header import decode


def parse(frame: Request) -> tuple[dict[str, Any], list[memoryview]]:
    """The request, and the long arguments that follow it."""
    lengths = frame.header.get("blobs")
    if lengths is None:
        body = decode(str(frame.body, "utf-8"))
        return (body["input"] if frame.header.get("wrapped") else body), []
    view = memoryview(frame.body)
    start = len(view) - sum(lengths)
    request = decode(str(view[:start], "utf-8"))
    blobs = []
    for length in lengths:
        blobs.append(view[start : start + length])
        start += length
    return request, blobs
