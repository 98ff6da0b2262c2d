"""What a runner is told when it is forked.

Imports nothing, as a runner is forked before the worker's modules are imported.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..zygote.commands import Fork, Start


class RunnerConfig:
    """What a new runner is told: its number, its places, its bounds."""

    __slots__ = ("completion_file", "directory", "end_mark", "max_response_bytes", "records_imports", "runner")

    def __init__(self, start: Start, fork: Fork) -> None:
        self.directory = start.directory
        self.records_imports = start.records_imports
        self.completion_file = start.completion_file
        self.runner = fork.runner
        self.end_mark = fork.end_mark
        self.max_response_bytes = fork.max_response_bytes

    @property
    def socket(self) -> str:
        return os.path.join(self.directory, "supervisor.sock")

    def pipe(self, number: int) -> str:
        """The path of the runner's output pipe; later ones replace a pipe that a child still holds."""
        return os.path.join(self.directory, f"{self.runner}.{number}.out")
