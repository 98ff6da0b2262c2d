"""What the supervisor has sent while a request was at work."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..protocol.cancel import Cancellation
from ..protocol.frames import Channel, Request


class Inbox:
    """Keeps requests that wait for their turn. Acknowledgements of a stream's chunks are taken in at once."""

    def __init__(self, channel: Channel, cancellation: Cancellation) -> None:
        self._channel = channel
        self._cancellation = cancellation
        self._waiting: deque[Request] = deque()
        self._on_ack: Callable[[dict[str, Any]], None] = lambda _header: None

    def hear_acks_with(self, hear_ack: Callable[[dict[str, Any]], None]) -> None:
        """Have ``hear_ack`` called with the header of each acknowledgement."""
        self._on_ack = hear_ack

    def take(self) -> Request | None:
        """The request that has waited longest."""
        return self._waiting.popleft() if self._waiting else None

    def put(self, frame: Request) -> None:
        """Have a request wait behind the others."""
        self._waiting.append(frame)

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def hear_ack(self, frame: Request) -> bool:
        """Take in an acknowledgement. Return ``False``, without doing anything, for a request."""
        if "ack" not in frame.header:
            return False
        self._on_ack(frame.header)
        return True

    def requests(self, arrived: Iterable[Request]) -> Iterator[Request]:
        """The requests among the frames that have arrived; acknowledgements are taken in on the way."""
        return (frame for frame in arrived if not self.hear_ack(frame))

    def hear(self) -> None:
        """Take in what has arrived."""
        with self._cancellation.held():
            self._waiting.extend(self.requests(self._channel.receive_available()))

    def has_something_within(self, milliseconds: int) -> bool:
        """Whether something arrives in so much time; it is not taken in."""
        waiting = select.poll()
        waiting.register(self._channel.socket.fileno(), select.POLLIN)
        return bool(waiting.poll(milliseconds))

    def wait_and_hear(self) -> None:
        """Block until something has arrived, and take it in."""
        waiting = select.poll()
        waiting.register(self._channel.socket.fileno(), select.POLLIN)
        waiting.poll()  # a cancel interrupts this, and nothing that is half read
        self.hear()
