"""The zygote: forks runners on request, and reports how they ended.

It is single-threaded and runs no user code. Its supervisor tells it what to do in lines of words (``commands.py``) and is
answered in JSON lines; when that connection closes, everything that was started ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ..imports.preload import Preload
from ..system import random_generators
from ..system.exits import exit_fields
from .commands import Fork, Start, parse
from .fork_runner import fork_runner

# Seconds without a command after which the start is over: the zygote then imports what it has not imported yet.
_QUIET_SECONDS = 0.25


class Zygote:
    """Forks and buries runners."""

    def __init__(self, start: Start, control: int, pending: bytes, preload: Preload) -> None:
        self._start = start
        self._control = control
        self._pending = pending
        self._preload = preload
        self._runners: dict[int, int] = {}
        self._has_forked = False
        self._wakeup, self._wakeup_write = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._wakeup_write, False)
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self, first: tuple[int, int] | None) -> None:
        """Serve until the supervisor goes away, then end every process below.

        ``first``: number and process id of a runner that was forked already.
        """
        preimported = {"imported": {}, "refused": {}} if self._start.lean else self._import_all()
        gc.freeze()
        version = sys.version.split()[0]
        self._report({"event": "ready", "pid": os.getpid(), "python": version, "modules": _top_level(), **preimported})
        if first is not None:
            self._note_forked(*first)
            # The runner may have ended before this process listened for SIGCHLD.
            self._bury()
        # Commands that came together with the start are in memory: the descriptor will not become readable for them.
        self._obey(b"")
        while True:
            is_waiting = self._has_forked and not self._preload.is_done
            ready, _, _ = select.select([self._control, self._wakeup], [], [], _QUIET_SECONDS if is_waiting else None)
            if self._wakeup in ready:
                self._drain_wakeup()
                self._bury()
            if self._control in ready and not self._read_commands():
                break
            if not ready:
                # The first runner does not wait for these imports, and later ones share them.
                self._prepare(self._preload.import_all)
        self._end_all()

    def _import_all(self) -> dict[str, Any]:
        """Import what every runner needs, and what the supervisor wants to be there before the first one."""
        from ..imports.preimport import Contaminated, preimport

        start = self._start
        try:
            self._preload.import_needed()
            report = preimport(start.preimport, start.preimport_seconds, start.preimport_bytes)
            random_generators.find()
            return report
        except Contaminated as error:
            fail(self._control, reason=str(error), module=error.module)
        except ImportError as error:
            fail(self._control, reason=str(error))
        finally:
            # Garbage is gone before serve() freezes what is left, so that runners share its memory.
            gc.collect()

    def _prepare(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ImportError as error:
            fail(self._control, reason=str(error))
        gc.freeze()

    def _drain_wakeup(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wakeup, 4096):
                pass

    def _read_commands(self) -> bool:
        try:
            data = os.read(self._control, 65536)
        except ConnectionError:
            return False
        if not data:
            return False
        self._obey(data)
        return True

    def _obey(self, data: bytes) -> None:
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            name, words = parse(line)
            if name == "fork":
                self._fork(Fork(words))
            elif name == "kill":
                self._kill(int(words[0]))

    def _fork(self, fork: Fork) -> None:
        if self._has_forked:
            # Later runners share with each other what the first one had to import by itself.
            self._prepare(self._preload.import_needed)
        try:
            pid = fork_runner(fork.config(self._start), self._let_go)
        except OSError as error:
            self._report(
                {
                    "event": "exited",
                    "runner": fork.runner,
                    "code": None,
                    "signal": None,
                    "reason": f"it could not be forked: {error.strerror or error}",
                }
            )
            return
        self._note_forked(fork.runner, pid)

    def _note_forked(self, runner: int, pid: int) -> None:
        if not self._has_forked:
            # Done after the first fork, which so does not wait for this import, and long before any user code runs.
            from ..system.process_control import adopt_orphans

            adopt_orphans()
            self._has_forked = True
        self._runners[pid] = runner
        self._report({"event": "forked", "runner": runner, "pid": pid})

    def _let_go(self) -> None:
        """Undo in a new runner what only the zygote needs."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in (self._control, self._wakeup, self._wakeup_write):
            os.close(descriptor)

    def _kill(self, runner: int) -> None:
        for pid, known in self._runners.items():
            if known == runner:
                _kill_group(pid)

    def _bury(self) -> None:
        """Report runners that ended, and end what they left behind: it was handed to this process by the kernel."""
        while True:
            try:
                # The dead runner is kept until its group is gone, so that its number can't have been given away.
                state = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if state is None:
                return
            runner = self._runners.pop(state.si_pid, None)
            if runner is not None:
                _kill_group(state.si_pid)
            os.waitpid(state.si_pid, 0)
            self._kill_orphans()
            if runner is not None:
                self._remove_sources(runner)
                self._report({"event": "exited", "runner": runner, **exit_fields(state)})

    def _kill_orphans(self) -> None:
        from ..system.process_control import children

        for pid in children():
            if pid not in self._runners:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in list(self._runners):
            _kill_group(pid)
        signal.set_wakeup_fd(-1)
        while True:
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._runners.pop(pid, None)
            self._kill_orphans()

    def _remove_sources(self, runner: int) -> None:
        directory = os.path.join(self._start.directory, f"{runner}.live")
        if os.path.exists(directory):
            import shutil

            shutil.rmtree(directory, ignore_errors=True)

    def remove_directory(self) -> None:
        """Remove the supervisor's directory of sockets, pipes and modules, in case the supervisor was killed and can't."""
        import shutil

        shutil.rmtree(self._start.directory, ignore_errors=True)

    def _report(self, event: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            _tell(self._control, event)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _top_level() -> list[str]:
    # A zygote that is ready early has not imported cloudpickle yet, but every runner has it.
    return sorted({name.partition(".")[0] for name in sys.modules} | {"cloudpickle"})


def _tell(control: int, event: dict[str, Any]) -> None:
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(control, data) :]


def fail(control: int, **why: str) -> NoReturn:
    """Tell the supervisor why there can't be a zygote, and end."""
    _tell(control, {"event": "failed", **why})
    sys.exit(1)
