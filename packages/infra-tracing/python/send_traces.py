"""Sends batches of spans over OTLP/HTTP: a process beside the worker that runs no user code, on the standard library alone.

It is given the path of a socket and connects there to the worker (``sender-process.ts``). What comes is framed: the length,
4 bytes big-endian, and so many bytes. The first frame is JSON: ``url``, ``headers``, ``timeoutMs`` of one attempt, and
``certificates`` (PEM) for https. Each later one is a body to post, and is answered, in order, with a line of JSON:
``status`` with the beginning of the ``answer``, or the ``failure``. The end of the connection is the end of the process.
"""

from __future__ import annotations

import http.client
import json
import select
import signal
import socket
import sys
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

_MAX_ANSWER_BYTES = 64 * 1024
_MAX_ANSWER_SHOWN = 300


class Collector:
    """The collector of spans. The connection is kept from one post to the next."""

    def __init__(self, start: dict[str, Any]) -> None:
        url = urlsplit(start["url"])
        self._target = f"{url.path}?{url.query}" if url.query else url.path
        self._headers: dict[str, str] = start["headers"]
        self._seconds: float = start["timeoutMs"] / 1000
        self._connection = _connection(url.scheme == "https", url.hostname or "", url.port, start.get("certificates"))

    def post(self, body: bytes) -> dict[str, Any]:
        """Post once. Return what came of it, in any case."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        try:
            return self._exchange(body)
        except Exception as error:
            self._connection.close()
            return {"failure": str(error) or type(error).__name__}
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _exchange(self, body: bytes) -> dict[str, Any]:
        kept: socket.socket | None = self._connection.sock
        if kept is not None and select.select([kept], [], [], 0)[0]:
            # Nothing was asked: that can only be its end.
            self._connection.close()
        self._connection.request("POST", self._target, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read(_MAX_ANSWER_BYTES)
        if not response.isclosed():
            self._connection.close()
        text = answer[:_MAX_ANSWER_SHOWN].decode(errors="replace").strip()
        return {"status": response.status, "answer": text}


def _connection(is_safe: bool, host: str, port: int | None, certificates: str | None) -> http.client.HTTPConnection:
    if not is_safe:
        return http.client.HTTPConnection(host, port)
    import ssl

    context = ssl.create_default_context(cadata=certificates)
    return http.client.HTTPSConnection(host, port, context=context)


def _on_alarm(*_: object) -> NoReturn:
    raise TimeoutError("no answer in time")


def _read_frame(frames: IO[bytes]) -> bytes:
    """Raises ``EOFError`` when the worker has gone."""
    head = frames.read(4)
    body = frames.read(int.from_bytes(head, "big"))
    if len(head) < 4:
        raise EOFError
    return body


def main() -> None:
    """Serve the worker until it goes away."""
    signal.signal(signal.SIGALRM, _on_alarm)
    with socket.socket(socket.AF_UNIX) as worker:
        worker.connect(sys.argv[1])
        frames = worker.makefile("rb")
        collector = Collector(json.loads(_read_frame(frames)))
        while True:
            worker.sendall(json.dumps(collector.post(_read_frame(frames))).encode() + b"\n")


if __name__ == "__main__":
    try:
        main()
    except (EOFError, ConnectionError):
        sys.exit(0)
