"""The tests of packages, which come last when an environment is brought from the network volume.

User code may run before they are there. An import, an open file, a listing and a new process wait for them; only
``os.stat`` and native code that opens files by itself can't be made to wait.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_TESTS = frozenset({"test", "tests"})
# A new process may open any file.
_NEW_PROCESSES = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
)
_LISTINGS = frozenset({"os.listdir", "os.scandir"})
_PACKAGES = os.sep + "site-packages" + os.sep
_POLL_SECONDS = 0.002
# The longest wait: by then the download has ended, with these files or without them.
_LONGEST_SECONDS = 30.0


def wait_for_test_files(completion_file: str) -> None:
    """Have this process wait for ``completion_file`` before it looks for tests; does nothing when that exists already."""
    if os.path.exists(completion_file):
        return
    gate = _Gate(completion_file)
    # An import of a module whose file is missing may raise no audit event, so that a finder is needed besides.
    sys.meta_path.insert(0, gate)
    sys.addaudithook(gate.hear)


class _Gate:
    """Waits, as a finder and as an audit hook. An audit hook can't be removed: both do nothing once the files are there."""

    def __init__(self, completion_file: str) -> None:
        self._completion_file = completion_file
        self._prefixes = (sys.prefix + os.sep, os.path.realpath(sys.prefix) + os.sep)
        self._is_open = False
        self._deadline = time.monotonic() + _LONGEST_SECONDS

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Wait for the files of a test module; the other finders then find it."""
        if not self._is_open and not _TESTS.isdisjoint(fullname.split(".")):
            self._wait()
        return None

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Wait, if the event could show user code that files are missing."""
        if not self._is_open and self._looks_for_tests(event, arguments):
            self._wait()

    def _looks_for_tests(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            return not _TESTS.isdisjoint(self._below_packages(arguments[0]))
        if event in _LISTINGS:
            # The import system lists directories too, and lists one again when files have come.
            in_package = self._below_packages(arguments[0])
            return bool(in_package) and not in_package[0].endswith(".dist-info") and not _is_import_system(sys._getframe(2))
        return event in _NEW_PROCESSES

    def _below_packages(self, path: Any) -> list[str]:
        """The parts of a path of an installed package, from the package's name on; empty for any other."""
        if not isinstance(path, (str, bytes)):
            return []
        text = os.path.abspath(os.fsdecode(path))
        return text.partition(_PACKAGES)[2].split(os.sep) if text.startswith(self._prefixes) and _PACKAGES in text else []

    def _wait(self) -> None:
        while not os.path.exists(self._completion_file) and time.monotonic() < self._deadline:
            time.sleep(_POLL_SECONDS)
        self._is_open = True
        importlib.invalidate_caches()


def _is_import_system(frame: Any) -> bool:
    return bool(frame.f_code.co_filename.startswith("<frozen importlib"))
