"""What the supervisor tells a zygote: lines of words, the first of which says what to do.

Texts are in hexadecimal, an empty one is ``-``. The lines are no JSON, as the first runner would wait until ``json`` is
imported.
"""

from __future__ import annotations

from ..runner.config import RunnerConfig


class Start:
    """``start``: what a zygote is for; its first command."""

    __slots__ = (
        "completion_file",
        "directory",
        "lean",
        "preimport",
        "preimport_bytes",
        "preimport_seconds",
        "records_imports",
    )

    def __init__(self, words: list[str]) -> None:
        lean, records, directory, completion_file, seconds, most_bytes, names = words
        # Whether the zygote says that it is ready before it has imported all that runners need.
        self.lean = lean == "1"
        self.records_imports = records == "1"
        # The supervisor's directory for sockets, pipes and modules.
        self.directory = _text(directory)
        # A file that exists once the whole environment has arrived from the volume.
        self.completion_file = _text(completion_file) or None
        # Modules to import before the first fork, and what that may take.
        self.preimport_seconds = float(seconds)
        self.preimport_bytes = int(most_bytes)
        self.preimport = _text(names).split(",") if names != "-" else []


class Fork:
    """``fork``: fork another runner."""

    __slots__ = ("end_mark", "max_bytes_left", "max_descriptors_left", "max_response_bytes", "reuses", "runner")

    def __init__(self, words: list[str]) -> None:
        runner, end_mark, max_response_bytes, reuses, max_bytes_left, max_descriptors_left = words
        self.runner = int(runner)
        self.end_mark = bytes.fromhex(end_mark)
        self.max_response_bytes = int(max_response_bytes)
        # Whether the runner may serve more than one function request.
        self.reuses = reuses == "1"
        # What requests may leave behind in the runner before it is replaced.
        self.max_bytes_left = int(max_bytes_left)
        self.max_descriptors_left = int(max_descriptors_left)

    def config(self, start: Start) -> RunnerConfig:
        """What the new runner is told."""
        return RunnerConfig(
            start.directory,
            self.runner,
            self.end_mark,
            self.max_response_bytes,
            start.records_imports,
            start.completion_file,
            self.reuses,
            self.max_bytes_left,
            self.max_descriptors_left,
        )


def parse(line: bytes) -> tuple[str, list[str]]:
    """What to do, and with what."""
    name, *words = line.decode().split(" ")
    return name, words


def _text(word: str) -> str:
    return "" if word == "-" else bytes.fromhex(word).decode()
