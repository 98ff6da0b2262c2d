"""What a runner is told when it is forked.

Imports next to nothing, as a runner is forked before the worker's modules are imported.
"""

from __future__ import annotations

import os


class RunnerConfig:
    """A runner's number, directories and bounds."""

    __slots__ = (
        "completion_file",
        "directory",
        "end_mark",
        "max_bytes_left",
        "max_descriptors_left",
        "max_response_bytes",
        "records_imports",
        "reuses",
        "runner",
    )

    def __init__(
        self,
        directory: str,
        runner: int,
        end_mark: bytes,
        max_response_bytes: int,
        records_imports: bool,
        completion_file: str | None,
        reuses: bool = True,
        max_bytes_left: int = 256 * 1024 * 1024,
        max_descriptors_left: int = 256,
    ) -> None:
        # The supervisor's directory for sockets, pipes and modules.
        self.directory = directory
        self.runner = runner
        # The bytes that end the output of one request in the pipe.
        self.end_mark = end_mark
        self.max_response_bytes = max_response_bytes
        # Whether the supervisor wants to know which modules user code imports.
        self.records_imports = records_imports
        # The file that exists once the whole environment has arrived from the volume.
        self.completion_file = completion_file
        # Whether the process may serve more than one function request.
        self.reuses = reuses
        # What requests may leave behind before the runner ends.
        self.max_bytes_left = max_bytes_left
        self.max_descriptors_left = max_descriptors_left

    @property
    def socket(self) -> str:
        return os.path.join(self.directory, "supervisor.sock")

    @property
    def live_directory(self) -> str:
        """Where the runner keeps the sources of requests; the zygote removes it when the runner has ended."""
        return os.path.join(self.directory, f"{self.runner}.live")

    def pipe(self, number: int) -> str:
        """The path of the runner's output pipe; the number of the one that every runner has is 0."""
        return os.path.join(self.directory, f"{self.runner}.{number}.out")
