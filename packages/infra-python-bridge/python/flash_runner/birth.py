"""A runner's first steps: it tells the supervisor that it is there, and only then loads what the zygote had not loaded yet.

Nothing that takes long to import is imported here.
"""

from __future__ import annotations

import os
from typing import NamedTuple, NoReturn

from . import frames
from .cancel import Cancellation
from .companions import companions
from .frames import Channel
from .output_pipe import OutputPipe


class Place(NamedTuple):
    """What the supervisor tells a new runner."""

    directory: str
    runner: int
    marker: bytes
    max_response_bytes: int
    records_imports: bool = False
    whole_mark: str | None = None

    @property
    def socket(self) -> str:
        return os.path.join(self.directory, "supervisor.sock")

    def pipe(self, number: int) -> str:
        """The path of the runner's output pipe; later ones replace a pipe that a child still holds."""
        return os.path.join(self.directory, f"{self.runner}.{number}.out")


class Connections(NamedTuple):
    """A runner's ways to the supervisor."""

    pipe: OutputPipe
    channel: Channel
    cancellation: Cancellation


def main(place: Place, zygote: int) -> NoReturn:
    """Become a runner: called in the child right after the fork. Never returns."""
    os.setsid()
    connections = _connect(place)
    with companions():
        from . import runner
    runner.main(place, connections, zygote)


def _connect(place: Place) -> Connections:
    pipe = OutputPipe(place.pipe(0), place.marker)
    channel = Channel(place.socket, place.runner)
    control = frames.connect(place.socket)
    cancellation = Cancellation(control)
    cancellation.listen()
    # Said only now: what the supervisor writes before somebody listens would raise no signal.
    control.sendall(frames.hello(place.runner, "control"))
    return Connections(pipe, channel, cancellation)
