"""Writes what a compressed file holds to standard output: ``python decompress.py FORMAT PATH MAX_MEMORY_BYTES``.

FORMAT is ``bzip2`` or ``xz``. What is wrong with the file stands on standard error, in one line, and the exit status is 1,
or 3 when it wants for more memory than it may have. Input and output go through in pieces.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Protocol

INPUT_BYTES = 256 * 1024
OUTPUT_BYTES = 1024 * 1024


class Decompressor(Protocol):
    """What BZ2Decompressor and LZMADecompressor have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class BrokenError(Exception):
    """The file can't be decompressed; the message says why."""

    status = 1


class MemoryBoundError(BrokenError):
    """The file wants for more memory than it may have."""

    status = 3


def find_decompressor(form: str, max_memory_bytes: int) -> Callable[[], Decompressor]:
    """Return what makes a decompressor for one stream of this format."""
    try:
        if form == "bzip2":
            from bz2 import BZ2Decompressor

            return BZ2Decompressor
        import lzma
    except ImportError as error:
        raise BrokenError(f"it is compressed with {form}, and {sys.executable} has no module for that: {error}") from error
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=max_memory_bytes)


def decompress(form: str, path: str, max_memory_bytes: int, write: Callable[[bytes], object]) -> None:
    """Write what a file holds; it may be several streams, one after the other."""
    make = find_decompressor(form, max_memory_bytes)
    stream: Decompressor | None = None
    streams = 0
    data = b""
    with open(path, "rb") as file:
        while True:
            if not data and (stream is None or stream.needs_input):
                data = file.read(INPUT_BYTES)
                if not data:
                    break
            if stream is None:
                # Streams of xz are padded with zeros.
                data = data.lstrip(b"\0")
                if not data:
                    continue
                stream = make()
                streams += 1
            try:
                piece = stream.decompress(data, OUTPUT_BYTES)
            except Exception as error:
                if streams > 1 and form == "bzip2" and stream.needs_input:
                    return  # What follows the last stream is none: bzip2 itself passes over it.
                raise explain(form, error, max_memory_bytes) from error
            write(piece)
            data = b""
            if stream.eof:
                data = stream.unused_data
                stream = None
    if stream is not None or streams == 0:
        raise BrokenError("it ends in the middle")


def explain(form: str, error: Exception, max_memory_bytes: int) -> BrokenError:
    """Say what is wrong with a stream."""
    if isinstance(error, MemoryError) or "emory" in str(error):
        return MemoryBoundError(f"it wants for more than {max_memory_bytes} bytes of memory to be decompressed")
    return BrokenError(f"its {form} data is damaged: {error}")


def main() -> int:
    """Run as a program."""
    form, path, max_memory_bytes = sys.argv[1:]
    try:
        decompress(form, path, int(max_memory_bytes), sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except BrokenError as error:
        print(error, file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
